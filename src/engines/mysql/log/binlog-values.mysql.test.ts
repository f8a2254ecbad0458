import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { BinlogSource, LogRows } from "../../../../test/support/binlog-source.ts";
import { type MysqlFlavour, type MysqlServer, startMysql } from "../../../../test/support/mysql-server.ts";
import {
  sameRows,
  seededRandom,
  sqlOf,
  typedColumns,
  typedTable,
} from "../../../../test/support/mysql-values.ts";
import { identifier } from "../catalog/identifier.ts";

const ROWS = 120;

interface LogSettings {
  readonly image: "FULL" | "MINIMAL" | "NOBLOB";
  readonly metadata?: "FULL" | "NO_LOG";
  readonly compress?: boolean;
}

const ways: Readonly<Record<MysqlFlavour, readonly LogSettings[]>> = {
  mysql: [{ image: "FULL" }, { image: "MINIMAL" }, { image: "NOBLOB" }],
  mariadb: [
    { image: "FULL", metadata: "NO_LOG" },
    { image: "FULL", metadata: "FULL", compress: true },
    { image: "MINIMAL", metadata: "FULL" },
    { image: "MINIMAL", metadata: "NO_LOG", compress: true },
    { image: "NOBLOB", metadata: "NO_LOG" },
  ],
};

for (const flavour of ["mariadb", "mysql"] as const) {
  suite(`values in the log of ${flavour}`, () => {
    let server: MysqlServer;
    before(async () => {
      server = await startMysql({ flavour, settings: { sql_mode: "" } });
    });
    after(() => server?.[Symbol.asyncDispose]());

    for (const [i, way] of ways[flavour].entries()) {
      test(`all types arrive as the table holds them: ${JSON.stringify(way)}`, async () => {
        await server.query(settingsSql(way));
        await using source = await BinlogSource.make(server, typedTable(flavour, "t"));
        const from = await source.position();
        await source.query(writes(flavour, 11 + i));
        const log = await source.read(from);
        assert.deepEqual(
          log.misfits.map(({ error }) => error.message),
          [],
        );
        const table = source.tables[0]!;
        const rows = new LogRows();
        rows.apply(log.ops);

        await source.query(typedTable(flavour, "told"));
        const names = table.columns.map(({ name }) => identifier(name)).join(", ");
        const values = [...rows.rows(table).values()].map(
          (row) => `(${table.columns.map((column, c) => sqlOf(column, row[c])).join(", ")})`,
        );
        await source.query(`insert into told (${names}) values ${values.join(",\n")}`);
        const [counts] = await source.query(
          `select (select count(*) from t) as here, (select count(*) from told) as told,
             (select count(*) from t join told using (id) where ${sameRows(table, "t", "told")}) as same`,
        );
        assert.equal(counts!["here"], counts!["told"]);
        if (counts!["same"] !== counts!["here"])
          assert.fail(
            await differences(
              source,
              table.columns.map(({ name }) => name),
            ),
          );
      });
    }
  });
}

function settingsSql({ image, metadata, compress }: LogSettings): string {
  return [
    `set global binlog_row_image = ${image}`,
    ...(metadata === undefined
      ? []
      : [
          `set global binlog_row_metadata = ${metadata}`,
          `set global log_bin_compress = ${compress === true ? 1 : 0}`,
          "set global log_bin_compress_min_len = 10",
        ]),
  ].join("; ");
}

/** Rows of random values, of which some are changed, moved to other keys and deleted; in several transactions. */
function writes(flavour: MysqlFlavour, seed: number): string {
  const random = seededRandom(seed);
  const columns = Object.entries(typedColumns(flavour));
  const value = (one: (typeof columns)[number][1]): string => (random() < 0.15 ? "null" : one.value(random));
  const statements = ["set time_zone = '+00:00', names utf8mb4"];
  for (let id = 1; id <= ROWS; id++) {
    // Not every statement names every column.
    const named = random() < 0.2 ? columns.filter(() => random() < 0.5) : columns;
    const list = named.map(([name]) => `, ${name}`).join("");
    statements.push(
      `insert into t (id${list}) values (${id}${named.map(([, one]) => `, ${value(one)}`).join("")})`,
    );
  }
  statements.push("begin");
  for (let n = 0; n < 2 * ROWS; n++) {
    const id = 1 + Math.floor(random() * ROWS);
    const some = columns.filter(() => random() < 0.1).map(([name, one]) => `${name} = ${value(one)}`);
    if (some.length > 0) statements.push(`update t set ${some.join(", ")} where id = ${id}`);
    if (n % 17 === 0) statements.push(`update t set id = ${10_000 + n} where id = ${id}`);
    if (n % 29 === 0) statements.push(`delete from t where id = ${id}`);
    if (n % 50 === 0) statements.push("commit; begin");
  }
  statements.push("commit");
  return statements.join(";\n");
}

async function differences(source: BinlogSource, names: readonly string[]): Promise<string> {
  const lines: string[] = [];
  for (const name of names) {
    const column = identifier(name);
    const rows = await source.query(
      `select t.id, hex(t.${column}) as a, hex(told.${column}) as b, t.${column} as av, told.${column} as bv
         from t join told using (id) where not hex(t.${column}) <=> hex(told.${column}) limit 2`,
    );
    for (const row of rows) lines.push(`${name}: ${JSON.stringify(row)}`);
  }
  return lines.join("\n");
}
