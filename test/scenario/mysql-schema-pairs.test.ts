import assert from "node:assert/strict";
import { test } from "node:test";
import { describeComparison } from "../support/compare.ts";
import { compareAcross } from "../support/compare-across.ts";
import { mysqlSide } from "../support/compare-side.ts";
import { armingOf, killsIn } from "../support/kills.ts";
import { MYSQL_NOTED_SCHEMA, mysqlNotedTables, mysqlTargetChanges } from "../support/mysql-noted-schema.ts";
import { type MysqlFlavour, startMysql } from "../support/mysql-server.ts";
import { drain, reasons, stop } from "../support/noted-schema.ts";
import { serverOfFile } from "../support/server-pair.ts";
import { schemas, taskSpec } from "../support/task.ts";
import { TaskRuns } from "../support/task-runs.ts";

/* Schema changes of MySQL and MariaDB are followed by MariaDB at their place in the log. */

const sources = {
  mariadb: await serverOfFile(startMysql({ flavour: "mariadb" })),
  mysql: await serverOfFile(startMysql({ flavour: "mysql" })),
};
const target = await serverOfFile(startMysql({ flavour: "mariadb" }));

const resumed = { start: "resume-processing" } as const;

for (const flavour of ["mariadb", "mysql"] as const satisfies readonly MysqlFlavour[]) {
  test(`a task from ${flavour} follows in turn, also when it is killed as soon as a table is altered`, async () => {
    const source = sources[flavour];
    const database = await source.createDatabase(`noted_${flavour}`);
    await source.query(MYSQL_NOTED_SCHEMA, database);
    const runs = new TaskRuns(
      taskSpec({
        type: "full-load-and-cdc",
        source: source.endpoint(),
        target: target.endpoint(),
        tableMappings: schemas(database),
      }),
    );
    try {
      await stop(await runs.replicate());
      for (const sql of mysqlTargetChanges) await source.query(sql, database);
      for (const kill of killsIn("altered")) await runs.killAt(armingOf(kill), resumed);
      const task = await runs.replicate(resumed);
      await source.query(
        "alter table t add column at_last int default 3 first; delete from t where id = 1",
        database,
      );
      assert.deepEqual(reasons((await drain(task)).progress), {});
      const comparison = await compareAcross({
        source: mysqlSide(source, database),
        target: mysqlSide(target, database),
        tables: mysqlNotedTables.map((name) => ({ schema: database, name })),
      });
      assert.ok(comparison.equal, describeComparison(comparison));
      const there = await target.query(
        `select table_name as name from information_schema.tables where table_schema = '${database}'`,
      );
      assert.deepEqual(there.map(({ name }) => name).toSorted(), mysqlNotedTables.toSorted());
    } finally {
      await runs.end();
    }
  });
}
