import { count } from "../src/cli/human.ts";
import { describeComparison } from "../test/support/compare.ts";
import { compareAcross } from "../test/support/compare-across.ts";
import { mysqlSide, postgresSide } from "../test/support/compare-side.ts";
import { createMysqlDemoData, type MysqlDemoSizes, mysqlDemoSizes } from "../test/support/mysql-demo-data.ts";
import type { MysqlServer } from "../test/support/mysql-server.ts";
import { MysqlWorkload } from "../test/support/mysql-workload.ts";
import type { DemoSource } from "./demo-source.ts";

/** The demo's shop in an empty database of a MariaDB server. */
export function mariadbSource(server: MysqlServer, database: string): DemoSource {
  const connect = () => server.connect(database);
  let sizes: MysqlDemoSizes = mysqlDemoSizes(0);
  return {
    kind: "MariaDB",
    url: server.url(database),
    shell: `mariadb -h 127.0.0.1 -P ${server.port} -u ${server.user} -p${server.password} ${database}`,
    patterns: [`${database}.*`],
    async fill(rows) {
      sizes = await createMysqlDemoData(connect, rows);
    },
    startApplication: (load) => MysqlWorkload.start({ connect, sizes, ...load }),
    async verify(target, targetDatabase) {
      const comparison = await compareAcross({
        source: mysqlSide(server, database),
        target: postgresSide(target, targetDatabase),
      });
      return {
        equal: comparison.equal,
        compared: `${count(comparison.rows)} rows of ${comparison.tables} tables, value by value`,
        differences: comparison.equal ? "" : describeComparison(comparison),
      };
    },
  };
}
