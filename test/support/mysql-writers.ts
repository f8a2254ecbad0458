import type { TableSchema } from "../../src/core/schema.ts";
import type { SnapshotRequest } from "../../src/core/source.ts";
import type { MysqlServer } from "./mysql-server.ts";
import { describeTables } from "./mysql-snapshot.ts";

/** Ten rows; with themselves as often as wanted they are any number. */
const DIGITS =
  "create table d (n int primary key); insert into d values (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)";
/** A table t of 5,000 rows, and d. */
export const FILLED = `${DIGITS}; create table t (id int primary key auto_increment, v int, pad varchar(100));
  insert into t (v, pad) select a.n + 10 * b.n + 100 * c.n + 1000 * e.n, repeat('x', 60)
    from d a, d b, d c, d e where e.n < 5; analyze table t`;
/** Of t.v, whoever writes. */
export const FILLED_SUM = (4999 * 5000) / 2;

export interface FilledSource {
  readonly schema: string;
  readonly table: TableSchema;
  readonly request: SnapshotRequest;
}

/** A new database with what the statements make, and what asks for a snapshot of one of its tables. */
export async function filledSource(server: MysqlServer, ddl = FILLED, name = "t"): Promise<FilledSource> {
  const schema = await server.createDatabase("source");
  await server.query(ddl, schema);
  const [table] = await describeTables(server, schema, [name]);
  return { schema, table: table!, request: { taskId: "task", tables: [table!], anchor: "new-stream" } };
}

export interface Writers {
  /** What stops them, and resolves when they have stopped. */
  readonly stop: () => Promise<void>;
  readonly written: () => number;
}

/** Each transaction adds one row to t and moves a value from one row to another. */
export function writeFilled(server: MysqlServer, schema: string, count: number): Writers {
  let isOn = true;
  let written = 0;
  const writer = async (seed: number): Promise<void> => {
    const connection = await server.connect(schema);
    for (let i = seed; isOn; i = (i * 7919) % 5003, written++) {
      const [from, to] = [(i % 4000) + 1, ((i * 31) % 4000) + 1].sort((a, b) => a - b);
      await connection.query(
        `begin; update t set v = v - 1 where id = ${from}; update t set v = v + 1 where id = ${to};
         insert into t (v, pad) values (0, 'new'); commit`,
      );
    }
    await connection.end();
  };
  const work = Promise.all(Array.from({ length: count }, (_, i) => writer(i + 1)));
  const stop = async (): Promise<void> => {
    isOn = false;
    await work;
  };
  return { stop, written: () => written };
}

/** Asks for the server's status without a pause, as no monitoring does. Resolves with what stops it. */
export function askForStatus(server: MysqlServer): () => Promise<void> {
  let isOn = true;
  const asker = async (statement: string): Promise<void> => {
    const connection = await server.connect();
    while (isOn) await connection.query(statement);
    await connection.end();
  };
  const statements = ["show status", "show global status like 'binlog%'"];
  const work = Promise.all([...statements, ...statements].map(asker));
  return async () => {
    isOn = false;
    await work;
  };
}
