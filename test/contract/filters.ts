import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { type ChangeBatch, OP_WIDTH } from "../../src/core/change-batch.ts";
import type { FilterCondition, RowFilter } from "../../src/core/plan.ts";
import type { Column, TableSchema } from "../../src/core/schema.ts";
import type { Snapshot, Source } from "../../src/core/source.ts";
import { compileFilter } from "../../src/mapping/filter/filter-test.ts";
import { filterFault, normalised } from "../../src/mapping/filter/filter-value.ts";
import { type DatabaseKind, describeTables, type RunningServer, unaborted } from "./database-kind.ts";
import type { ColumnSample } from "./filter-samples.ts";
import { readLines } from "./text-rows.ts";

export interface FilterSamples {
  readonly columns: readonly ColumnSample[];
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  /** Before the table is made, and before its rows are inserted. */
  readonly session?: string;
}

const whole = { id: "0", by: "whole", from: undefined, to: undefined, estimatedRows: -1 } as const;

/**
 * A filter is carried out by the source's server for rows and by mapping/filter for changes. Both must take the same rows,
 * of all types, values and operators. Rows are inserted and read in both ways.
 */
export function filterContract(kind: DatabaseKind, all: readonly FilterSamples[]): void {
  suite(`${kind.name}'s filters`, () => {
    let server: RunningServer;
    before(async () => {
      server = await kind.start();
    });
    after(() => server?.[Symbol.asyncDispose]());

    for (const { columns, settings = {}, session = "" } of all) {
      test(`what a snapshot takes by a filter is what is taken of changes ${JSON.stringify(settings)}`, async () => {
        const schema = await server.newSchema();
        const list = columns.map(({ type }, at) => `c${at} ${type}`);
        await schema.run(`${session}create table t (id int primary key, ${list.join(", ")})`);
        const endpoint = { ...schema.endpoint, settings: { ...schema.endpoint.settings, ...settings } };
        await using source = await kind.engine.openSource(endpoint, unaborted);
        const { tables } = await describeTables(source, schema.name);
        const table = tables[0]!;
        const request = { taskId: schema.name === "shop" ? endpoint.database : schema.name, tables };
        const position = await source.createStream(request, unaborted);
        try {
          const height = Math.max(...columns.map(({ values }) => values.length));
          const rows = Array.from({ length: height + 1 }, (_, at) => {
            return `(${[at, ...columns.map(({ values }) => values[at] ?? "null")].join(", ")})`;
          });
          await schema.run(`${session}insert into t values ${rows.join(", ")}`);
          const batches = await readBatches(source, { ...request, after: position });
          await using snapshot = await source.openSnapshot(
            { taskId: "filters", tables, anchor: "none" },
            unaborted,
          );
          let asked = 0;
          for (const [at, sample] of columns.entries()) {
            for (const condition of conditionsOf(table.columns[at + 1]!, sample)) {
              const filter = [[{ column: at + 1, conditions: [condition] }]];
              const what = `${sample.type}: ${JSON.stringify(condition)}`;
              const ofRows = await idsOf(snapshot, table, filter);
              assert.deepEqual(idsOfChanges(batches, table, filter), ofRows, what);
              asked++;
            }
            for (const { condition, rows: expected } of sample.expected ?? []) {
              const filter = [
                [{ column: at + 1, conditions: [normalised(condition, table.columns[at + 1]!)] }],
              ];
              assert.deepEqual(await idsOf(snapshot, table, filter), expected, JSON.stringify(condition));
            }
          }
          assert.ok(asked > 20 * columns.length, `${asked} conditions`);
          assert.deepEqual(idsOfChanges(batches, table, [[]]).length, rows.length);
          assert.deepEqual(await idsOf(snapshot, table, [[]]), idsOfChanges(batches, table, [[]]));
          assert.deepEqual(await idsOf(snapshot, table, []), []);
        } finally {
          await source.dropStream(request, unaborted);
        }
      });
    }

    test("columns, ranges and filters are read together, and no columns are as many rows", async () => {
      const schema = await server.newSchema();
      await schema.run("create table t (id int primary key, a varchar(80), b int, c varchar(20))");
      const values = Array.from(
        { length: ROWS },
        (_, i) => `(${i}, '${"p".repeat(60)}', ${i % 10}, 'c${i}')`,
      );
      await schema.run(`insert into t values ${values.join(", ")}`);
      await schema.rows(kind.name === "PostgreSQL" ? "analyze t" : "analyze table t");
      await using source = await kind.engine.openSource(schema.endpoint, unaborted);
      const { tables } = await describeTables(source, schema.name);
      const table = { ...tables[0]!, estimatedRows: ROWS, estimatedBytes: 100 * ROWS };
      await using snapshot = await source.openSnapshot(
        { taskId: "columns", tables, anchor: "none" },
        unaborted,
      );
      const filter: RowFilter = [
        [{ column: 2, conditions: [{ operator: "lte", value: "1" }] }],
        [
          {
            column: 2,
            conditions: [
              { operator: "eq", value: "7" },
              { operator: "eq", value: "8" },
            ],
          },
          { column: 0, conditions: [{ operator: "between", from: "100", to: "199" }] },
        ],
      ];
      const ids = Array.from({ length: ROWS }, (_, i) => i);
      const wanted = ids.filter((i) => i % 10 <= 1 || ([7, 8].includes(i % 10) && i >= 100 && i <= 199));
      const format = "pg-copy-text";
      for (const bytesReadAtOnce of [0, 1 << 30]) {
        const size = { rowsPerPartition: 700, bytesPerPartition: 50_000, bytesReadAtOnce };
        const [partitions] = await snapshot.partition([table], size, unaborted);
        assert.ok(Array.isArray(partitions) && partitions.length > 1);
        const parts = await Promise.all(
          partitions.map((partition) =>
            readLines(snapshot.read({ table, partition, format, columns: [0, 3], filter }, unaborted)),
          ),
        );
        const found = parts.flat().toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
        assert.deepEqual(
          found,
          wanted.map((i) => `${i}\tc${i}`),
        );
      }
      const none = snapshot.read({ table, partition: whole, format, columns: [], filter }, unaborted);
      assert.deepEqual(
        await readLines(none),
        wanted.map(() => ""),
      );
    });
  });
}

const ROWS = 4000;

/** Every operator with the values of the sample, and what else it is to be compared with. */
function conditionsOf(column: Column, { compared }: ColumnSample): readonly FilterCondition[] {
  const conditions: FilterCondition[] = [{ operator: "null" }, { operator: "notnull" }];
  for (const [at, value] of compared.entries()) {
    for (const operator of ["eq", "noteq", "lte", "gte"] as const) conditions.push({ operator, value });
    for (const step of [0, 1, 4]) {
      const to = compared[(at + step) % compared.length]!;
      conditions.push({ operator: "between", from: value, to }, { operator: "notbetween", from: value, to });
    }
  }
  return conditions.map((condition) => {
    assert.equal(filterFault(condition, column), undefined, JSON.stringify(condition));
    return normalised(condition, column);
  });
}

async function idsOf(snapshot: Snapshot, table: TableSchema, filter: RowFilter): Promise<readonly number[]> {
  const request = { table, partition: whole, format: "pg-copy-text", columns: [0], filter } as const;
  return (await readLines(snapshot.read(request, unaborted))).map(Number).toSorted((a, b) => a - b);
}

function idsOfChanges(
  batches: readonly ChangeBatch[],
  table: TableSchema,
  filter: RowFilter,
): readonly number[] {
  const taken = compileFilter(filter, table);
  const ids: number[] = [];
  for (const { bytes, cells, ops } of batches) {
    for (let at = 0; at < ops.length; at += OP_WIDTH) {
      const row = ops[at + 3]!;
      const answer = taken.holds(bytes, cells, row);
      assert.notEqual(answer, "unknown");
      if (answer === true)
        ids.push(Number(Buffer.from(bytes).toString("latin1", cells[row]!, cells[row + 1]!)));
    }
  }
  return ids.toSorted((a, b) => a - b);
}

async function readBatches(
  source: Source,
  request: Parameters<Source["openChangeStream"]>[0],
): Promise<readonly ChangeBatch[]> {
  await using stream = await source.openChangeStream({ ...request, encodings: ["text"] }, unaborted);
  for await (const item of stream) {
    if (item.kind === "changes" && item.batch.ops.length > 0) {
      assert.ok(item.batch.transactions.at(-1)!.commits);
      return [item.batch];
    }
  }
  throw new Error("the stream ended before the rows");
}
