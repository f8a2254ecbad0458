import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { CanonicalRow } from "../../src/comparison/canonical-row.ts";
import { formOf } from "../../src/comparison/forms.ts";
import type { DigestColumn, DigestForm } from "../../src/core/row-digest.ts";
import type { Column, TableSchema } from "../../src/core/schema.ts";
import type { Snapshot, Source } from "../../src/core/source.ts";
import {
  type Cells,
  clientDigests,
  everyForm,
  readCells,
  serverDigests,
  whole,
} from "../support/digested-rows.ts";
import { type DatabaseKind, describeTables, type RunningServer, unaborted } from "./database-kind.ts";

export interface DigestSample {
  readonly type: string;
  /** SQL expressions, NULL left out. */
  readonly values: readonly string[];
}

export interface DigestSamples {
  /** Statements before the tables are made: types, a session's settings. */
  readonly setup: string;
  readonly columns: readonly DigestSample[];
  /** Values that differ by as little as they can, so that no two of them may have one text. */
  readonly near: readonly DigestSample[];
  /** What is between a value and its type; left out: nothing. */
  readonly cast?: (value: string, type: string) => string;
  /** Where the server may write another text than the client: `type as form`, and why. */
  readonly mayDiffer: Readonly<Record<string, string>>;
}

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

    /** Where they are not, looks for the columns that are why. */
    async function assertSame(
      { table, snapshot, cells }: { table: TableSchema; snapshot: Snapshot; cells: readonly Cells[] },
      columns: readonly DigestColumn[],
    ): Promise<void> {
      const expected = clientDigests(table, cells, columns);
      const found = new Set(await serverDigests(snapshot, table, columns));
      const wrong = cells.filter((_, row) => !found.has(expected[row]!));
      if (wrong.length === 0) return;
      const [only, ...others] = columns.slice(1);
      if (others.length > 0) {
        for (const column of columns.slice(1)) await assertSame({ table, snapshot, cells }, [ID, column]);
      }
      const { type } = samples.columns[only!.ordinal - 1]!;
      assert.fail(
        `${type} as ${formText(only!.form)}: ${wrong.map((row) => shown(table, row, columns)).join("; ")}`,
      );
    }

    test("a row's digest is the client's, in every form of every type that the server writes", async () => {
      await withTable(samples.columns, async (table, snapshot, cells) => {
        const all = samples.columns.flatMap(({ type }, at): DigestColumn[] => {
          const column = table.columns[at + 1]!;
          const { form } = formOf(column, column)!;
          return writes(snapshot, { type, column, form }) ? [{ ordinal: at + 1, form }] : [];
        });
        for (const form of everyForm) {
          const columns = samples.columns.flatMap(({ type }, at) => {
            const isWritten = writes(snapshot, { type, column: table.columns[at + 1]!, form });
            return isWritten ? [{ ordinal: at + 1, form }] : [];
          });
          await assertSame({ table, snapshot, cells }, [ID, ...columns]);
        }
        await assertSame({ table, snapshot, cells }, [ID, ...all]);
        const found = await serverDigests(snapshot, table, [ID, ...all]);
        const byFour = await snapshot.digests(
          { table, partition: whole, columns: [ID, ...all], buckets: 4 },
          unaborted,
        );
        const total = byFour.reduce((sum, bucket) => sum + bucket.sum, 0n);
        assert.equal(
          total,
          found.reduce((sum, digest) => sum + digest, 0n),
        );
        const choice = { columns: [ID, ...all], buckets: 4, wanted: [byFour[0]!.bucket] };
        const chosen = await readCells(snapshot, table, { digested: choice });
        assert.equal(chosen.length, byFour[0]!.rows);
        const digests = clientDigests(table, chosen, [ID, ...all]);
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
  row.begin();
  for (const { ordinal } of columns) row.add(cells[ordinal]!);
  return `${row.text.toString("utf8").slice(0, 100)} of ${cells[columns[1]!.ordinal]?.toString("utf8").slice(0, 100)}`;
}
