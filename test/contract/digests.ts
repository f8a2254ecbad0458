import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { CanonicalRow } from "../../src/comparison/canonical-row.ts";
import { formOf } from "../../src/comparison/forms.ts";
import type { RowFilter } from "../../src/core/plan.ts";
import type { BucketDigest, DigestColumn, DigestForm, RowHash } from "../../src/core/row-digest.ts";
import { type Column, type TableSchema, tableKey } from "../../src/core/schema.ts";
import type { Partition, Snapshot, Source } from "../../src/core/source.ts";
import { WHOLE } from "../../src/pipeline/whole-table.ts";
import type { DigestSample, DigestSamples } from "../support/digest-sample.ts";
import { type Cells, clientDigests, everyForm, readCells, serverDigests } from "../support/digested-rows.ts";
import { type DatabaseKind, describeTables, type RunningServer, unaborted } from "./database-kind.ts";

const ID = { ordinal: 0, form: { kind: "int" } } as const;
/** Whatever ends or joins values in a row's text, and what is nothing. */
const NASTY = ["''", "','", "'1,a'", "'a'", "'a,1,a'", "'2,aa'", "'0,'", "'~'", "':'", "' '", "'!'", "null"];

/** What a server writes of its rows is what the client writes of them, for all types, values and forms. */
export function digestContract(kind: DatabaseKind, samples: DigestSamples): void {
  suite(`${kind.name}'s digests`, () => {
    let server: RunningServer;
    before(async () => {
      server = await kind.start();
    });
    after(() => server?.[Symbol.asyncDispose]());

    async function withTable(
      columns: readonly DigestSample[],
      work: (table: TableSchema, snapshot: Snapshot, cells: readonly Cells[]) => Promise<void>,
    ): Promise<void> {
      const schema = await server.newSchema();
      const { setup, cast = (value) => value } = samples;
      const list = columns.map(({ type }, at) => `, c${at} ${type}`).join("");
      const height = Math.max(...columns.map(({ values }) => values.length));
      const rows = Array.from({ length: height + 1 }, (_, row) => {
        const values = columns.map(({ values: { [row]: value }, type }) =>
          value === undefined ? "null" : cast(value, type),
        );
        return `(${[row, ...values].join(", ")})`;
      });
      await schema.run(
        `${setup} create table t (id int primary key${list}); insert into t values ${rows.join(", ")};`,
      );
      await using source: Source = await kind.engine.openSource(schema.endpoint, unaborted);
      const table = (await describeTables(source, schema.name, ["t"])).tables[0]!;
      const request = { taskId: "digests", tables: [table], anchor: "none" } as const;
      await using snapshot = await source.openSnapshot(request, unaborted);
      await work(table, snapshot, await readCells(snapshot, table));
    }

    function writes(
      snapshot: Snapshot,
      { type, column, form }: { readonly type: string; readonly column: Column; readonly form: DigestForm },
    ): boolean {
      return (
        snapshot.digestsAs(column, form) && samples.mayDiffer[`${type} as ${formText(form)}`] === undefined
      );
    }

    interface DigestedRows {
      readonly table: TableSchema;
      readonly snapshot: Snapshot;
      readonly cells: readonly Cells[];
      readonly hash: RowHash;
    }

    /** Where they are not, looks for the columns that are why. */
    async function differing(
      rows: DigestedRows,
      columns: readonly DigestColumn[],
    ): Promise<readonly string[]> {
      const { table, snapshot, cells, hash } = rows;
      const expected = clientDigests(table, cells, columns, hash);
      const found = new Set(await serverDigests(snapshot, table, columns, hash).catch(() => []));
      const wrong = cells.filter((_, row) => !found.has(expected[row]!));
      if (wrong.length === 0) return [];
      const [only, ...others] = columns.slice(1);
      if (others.length > 0) {
        const each: string[] = [];
        for (const column of columns.slice(1)) each.push(...(await differing(rows, [ID, column])));
        return each.length > 0 ? each : ["a row, and none of its values alone"];
      }
      const { type } = samples.columns[only!.ordinal - 1]!;
      const made = wrong.map((row) => shown(table, row, columns)).join("; ");
      return [`${type} as ${formText(only!.form)}: ${made}`];
    }

    test("a row's digest is the client's, in every form of every type that the server writes", async () => {
      await withTable(samples.columns, async (table, snapshot, cells) => {
        const all = samples.columns.flatMap(({ type }, at): DigestColumn[] => {
          const column = table.columns[at + 1]!;
          const { form } = formOf(column, column)!;
          return writes(snapshot, { type, column, form }) ? [{ ordinal: at + 1, form }] : [];
        });
        const hashes = await snapshot.rowHashes(unaborted);
        assert.deepEqual(hashes, samples.hashes);
        const [hash] = hashes as [RowHash];
        const wrong: string[] = [];
        for (const form of everyForm) {
          const columns = samples.columns.flatMap(({ type }, at) => {
            const isWritten = writes(snapshot, { type, column: table.columns[at + 1]!, form });
            return isWritten ? [{ ordinal: at + 1, form }] : [];
          });
          wrong.push(...(await differing({ table, snapshot, cells, hash }, [ID, ...columns])));
        }
        for (const every of hashes) {
          wrong.push(...(await differing({ table, snapshot, cells, hash: every }, [ID, ...all])));
        }
        assert.deepEqual(wrong, []);
        const found = await serverDigests(snapshot, table, [ID, ...all], hash);
        const bucketing = { columns: [ID, ...all], hash, buckets: 4 };
        const byFour = await snapshot.digests({ table, partition: WHOLE, ...bucketing }, unaborted);
        const total = byFour.reduce((sum, bucket) => sum + bucket.sum, 0n);
        assert.equal(
          total,
          found.reduce((sum, digest) => sum + digest, 0n),
        );
        const choice = { ...bucketing, wanted: [byFour[0]!.bucket] };
        const chosen = await readCells(snapshot, table, { digested: choice });
        assert.equal(chosen.length, byFour[0]!.rows);
        const digests = clientDigests(table, chosen, [ID, ...all], hash);
        assert.equal(
          digests.reduce((sum, digest) => sum + digest, 0n),
          byFour[0]!.sum,
        );
      });
    });

    test("values that differ by as little as they can have texts of their own", async () => {
      await withTable(samples.near, async (table, snapshot, cells) => {
        for (const [at, { type, values }] of samples.near.entries()) {
          const column = table.columns[at + 1]!;
          const { form } = formOf(column, column)!;
          const columns = [{ ordinal: at + 1, form }];
          const client = new Set(clientDigests(table, cells, columns));
          assert.equal(client.size, values.length + 1, `${type} by the client`);
          if (!snapshot.digestsAs(column, form)) continue;
          const found = await serverDigests(snapshot, table, columns);
          assert.equal(found.length, values.length + 1, `${type} by the server`);
        }
      });
    });

    test("the parts of a table add up to it, also where a filter takes some rows alone", async () => {
      const values = Array.from({ length: 500 }, (_, at) => (at % 7 === 0 ? "null" : `'v${at}'`));
      await withTable([{ type: "varchar(200)", values }], async (table, snapshot) => {
        const columns = [ID, { ordinal: 1, form: { kind: "text" } }] as const;
        const sumOf = async (partitions: readonly Partition[], filter?: RowFilter) => {
          const all = {
            table,
            columns,
            hash: "md5" as const,
            buckets: 3,
            ...(filter === undefined ? {} : { filter }),
          };
          const found: BucketDigest[] = [];
          for (const partition of partitions) {
            found.push(...(await snapshot.digests({ ...all, partition }, unaborted)));
          }
          const rows = found.reduce((count, bucket) => count + bucket.rows, 0);
          return [rows, found.reduce((sum, bucket) => sum + bucket.sum, 0n)] as const;
        };
        const ranges = { type: "ranges", columns: ["id"], boundaries: [["50"], ["300"]] } as const;
        const parallelLoads = new Map([[tableKey(table.id), ranges]]);
        const size = { rowsPerPartition: 1_000_000, bytesPerPartition: 1_000_000, parallelLoads };
        const [partitions] = await snapshot.partition([table], size, unaborted);
        assert.ok(Array.isArray(partitions) && partitions.length > 2);
        assert.deepEqual(await sumOf(partitions), await sumOf([WHOLE]));
        const filter = [[{ column: 0, conditions: [{ operator: "lte", value: "99" }] }]] as const;
        const some = await sumOf(partitions, filter);
        assert.equal(some[0], 100);
        assert.deepEqual(some, await sumOf([WHOLE], filter));
        const share = { ...WHOLE, by: "share" } as const;
        await assert.rejects(sumOf([share]), RangeError);
      });
    });

    test("texts with what stands between values in them do not run together", async () => {
      const all = NASTY.flatMap((a) => NASTY.map((b) => [a, b] as const));
      // The last row has two NULLs.
      const pairs = all.filter(([a, b]) => a !== "null" || b !== "null");
      const columns = [0, 1].map((side) => ({
        type: "varchar(20)",
        values: pairs.map((pair) => pair[side]!),
      }));
      await withTable(columns, async (table, snapshot, cells) => {
        const text = { kind: "text" } as const;
        const both = [1, 2].map((ordinal) => ({ ordinal, form: text }));
        const expected = new Set(clientDigests(table, cells, both));
        assert.equal(expected.size, pairs.length + 1);
        assert.deepEqual(new Set(await serverDigests(snapshot, table, both)), expected);
      });
    });
  });
}

function formText(form: DigestForm): string {
  return Object.entries(form)
    .map(([name, value]) => (name === "kind" ? String(value) : `${name} ${value}`))
    .join(" ");
}

function shown(table: TableSchema, cells: Cells, columns: readonly DigestColumn[]): string {
  const row = new CanonicalRow(
    columns.map(({ ordinal, form }) => ({ column: table.columns[ordinal]!, form })),
  );
  row.write(columns.map(({ ordinal }) => cells[ordinal]!));
  return `${row.text.toString("utf8").slice(0, 100)} of ${cells[columns[1]!.ordinal]?.toString("utf8").slice(0, 100)}`;
}
