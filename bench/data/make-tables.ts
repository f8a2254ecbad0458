import type { PostgresServer } from "../../test/support/postgres-server.ts";
import type { BenchTable } from "./tables.ts";
import { manyColumns, manyRow } from "./tables.ts";

/** Small tables of one shape; each refers to the first. */
export interface ManyTables {
  readonly count: number;
  readonly rowsEach: number;
}

export interface DataSet {
  readonly tables: readonly BenchTable[];
  readonly many?: ManyTables;
  /** With primary keys, secondary indexes and foreign keys. */
  readonly keys: boolean;
}

/** Rows of a table at a scale. */
export function scaledRows(table: BenchTable, scale: number): number {
  return Math.max(1, Math.ceil(table.rows * scale));
}

/** The tables alone, without a row: what a target holds before a data-only copy. */
export async function createEmptyTables(
  server: PostgresServer,
  database: string,
  set: DataSet,
): Promise<void> {
  const tables = set.tables.map(({ name, columns }) => `create table bench.${name} (${columns})`);
  await server.query(["create schema bench", ...tables].join(";\n"), database);
}

/** Makes the data; resolves with the number of rows. Vacuumed, so that no reader has to set hint bits. */
export async function makeData(
  server: PostgresServer,
  database: string,
  set: DataSet,
  scale: number,
): Promise<number> {
  await createEmptyTables(server, database, set);
  const statements = set.tables.map(
    (table) =>
      `insert into bench.${table.name} select ${table.row} from generate_series(1::bigint, ${scaledRows(table, scale)}) g`,
  );
  const many = set.many === undefined ? undefined : scaledMany(set.many, scale);
  if (many !== undefined) statements.push(manyTables(many, set.keys));
  await inTwoLanes(statements, server, database);
  if (set.keys) {
    await inTwoLanes(set.tables.flatMap(keysOf), server, database);
    const foreign = set.tables.flatMap(({ name, foreignKeys }) =>
      foreignKeys.map((key) => `alter table bench.${name} add ${key}`),
    );
    await inTwoLanes(foreign, server, database);
  }
  // Of no effect on what is copied, and without it the first reader would do the work of the others.
  await server.query("vacuum (freeze, analyze)", database);
  await server.query("checkpoint");
  const rows = set.tables.reduce((sum, table) => sum + scaledRows(table, scale), 0);
  return rows + (many === undefined ? 0 : many.count * many.rowsEach);
}

function keysOf(table: BenchTable): readonly string[] {
  return [
    `alter table bench.${table.name} add primary key (${table.primaryKey})`,
    ...table.indexes.map((columns) => `create index on bench.${table.name} ${columns}`),
  ];
}

/** More data is more tables. */
function scaledMany(many: ManyTables, scale: number): ManyTables {
  return { count: Math.max(2, Math.round(many.count * scale)), rowsEach: many.rowsEach };
}

function manyTables({ count, rowsEach }: ManyTables, keys: boolean): string {
  const name = "format('bench.small_%s', lpad(i::text, 6, '0'))";
  const build = keys
    ? `execute format('alter table %s add primary key (id)', name);
       execute format('create index on %s (at)', name);
       execute format('alter table %s add foreign key (parent) references bench.small_000001', name);`
    : "execute format('alter table %s add primary key (id)', name);";
  return `do $$ declare name text; begin
    for i in 1..${count} loop
      name := ${name};
      execute format('create table %s (${manyColumns})', name);
      execute format('insert into %s select ${manyRow.replaceAll("'", "''").replaceAll("%", "%%")} from generate_series(1, ${rowsEach}) g', name);
      ${build}
      if i % 100 = 0 then commit; end if;
    end loop; end $$`;
}

async function inTwoLanes(
  statements: readonly string[],
  server: PostgresServer,
  database: string,
): Promise<void> {
  const waiting = [...statements];
  const lane = async (): Promise<void> => {
    for (let sql = waiting.shift(); sql !== undefined; sql = waiting.shift()) {
      await server.query(sql, database);
    }
  };
  await Promise.all([lane(), lane()]);
}
