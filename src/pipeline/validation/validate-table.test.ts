import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type MemoryRow,
  type MemorySide,
  type MemoryTable,
  validatedInMemory,
} from "../../../test/support/rows-in-memory.ts";
import type { Column } from "../../core/schema.ts";
import type { TableValidation } from "./validation-observer.ts";

const id: Column = {
  ...{ name: "id", nativeType: "integer", type: { kind: "int", bits: 32, unsigned: false } },
  nullable: true,
};
const word: Column = {
  ...{ name: "word", nativeType: "text", type: { kind: "string", fixed: false } },
  nullable: true,
};
const json: Column = { name: "document", nativeType: "jsonb", type: { kind: "json" }, nullable: true };
const columns = [id, word];
const keyed: MemoryTable = { columns, key: [0], estimatedRows: 5_000 };
const keyless: MemoryTable = { ...keyed, key: [] };

const rows: readonly MemoryRow[] = Array.from({ length: 50 }, (_, i) => [String(i), `word ${i}`]);

test("rows that the target has too often by a key are found, and told once", async () => {
  const strays: readonly (readonly MemoryRow[])[] = [
    [["7", "stray"]],
    [["7", "word 7"]],
    [
      ["7", "stray"],
      ["7", "another"],
    ],
    [
      ["99", "stray"],
      ["99", "another"],
    ],
  ];
  for (const some of strays) {
    const source = { rows: () => rows };
    const { verdict, extra, missing, different, differences } = await validatedInMemory(keyed, {
      source,
      target: { rows: () => [...rows, ...some] },
    });
    assert.equal(verdict, "different");
    assert.deepEqual({ extra, missing, different }, { extra: some.length, missing: 0, different: 0 });
    assert.equal(differences.length, 1);
    assert.deepEqual(differences[0]!.key, { id: some[0]![0] });
  }
});

test("a row that is another whenever it is read is missing where the target lacks it, and too many where the source does", async () => {
  let writes = 0;
  const hot = { rows: () => [...rows, ["99", `hot ${writes++}`]] };
  const quiet = { rows: () => rows };
  const counts = ({ missing, extra, different, undecided }: TableValidation) => {
    return { missing, extra, different, undecided };
  };
  for (const table of [keyed, keyless]) {
    const lost = await validatedInMemory(table, { source: hot, target: quiet });
    assert.deepEqual(counts(lost), { missing: 1, extra: 0, different: 0, undecided: 0 });
    const stray = await validatedInMemory(table, { source: quiet, target: hot });
    assert.deepEqual(counts(stray), { missing: 0, extra: 1, different: 0, undecided: 0 });
  }
});

test("a connection that is lost while rows are read again costs what was read, and no more", async () => {
  for (const table of [keyed, keyless]) {
    const source: MemorySide = { rows: () => rows, losses: 1 };
    const target: MemorySide = { rows: () => [...rows.slice(1), ["7", "stray"], ["7", "stray"]], losses: 2 };
    const { verdict, missing, extra, undecided } = await validatedInMemory(table, { source, target });
    assert.deepEqual({ verdict, missing, extra }, { verdict: "different", missing: 1, extra: 2 });
    assert.deepEqual([undecided, source.losses, target.losses], [0, 0, 0]);
  }
});

test("rows without a key that are written and come are no difference", async () => {
  let writes = 0;
  const source = { rows: () => [...rows, ["99", `hot ${writes++}`]] };
  const target = { rows: () => [...rows, ["99", `hot ${writes - 1}`]] };
  const grown = { rows: () => [...rows, ...Array.from({ length: writes++ }, (_, i) => [`${i}`, "new"])] };
  const growing = { rows: () => [...rows, ...Array.from({ length: writes - 1 }, (_, i) => [`${i}`, "new"])] };
  assert.equal((await validatedInMemory(keyless, { source, target })).verdict, "equal");
  assert.equal((await validatedInMemory(keyless, { source: grown, target: growing })).verdict, "equal");
});

const same = (value: string): string => value;
const many: readonly MemoryRow[] = Array.from({ length: 600 }, (_, i) => [String(i), `word ${i}`]);

test("rows without a key are found in a few scans, however many differ and however few are held at once", async () => {
  const other = many.map(([key, value], i): MemoryRow => [key!, i % 10 === 0 ? value! : `other ${i}`]);
  const fewer = many.filter((_, i) => i % 10 !== 0);
  for (const rowsAtOnce of [10_000, 250, 20]) {
    for (const [rows, expected] of [
      [other, { missing: 540, extra: 540 }],
      [fewer, { missing: 60, extra: 0 }],
      [[], { missing: 600, extra: 0 }],
    ] as const) {
      const source: MemorySide = { rows: () => many, digests: same };
      const target: MemorySide = { rows: () => rows, digests: same };
      const found = await validatedInMemory(keyless, { source, target }, { rowsAtOnce });
      assert.deepEqual({ missing: found.missing, extra: found.extra }, expected);
      assert.equal(found.differences.length, expected.missing + expected.extra);
      // To digest, to match, and two rounds of looking again.
      assert.ok(source.scans! <= 5, `${source.scans} scans of the source`);
      assert.ok(target.scans! <= 4, `${target.scans} scans of the target`);
    }
  }
});

test("rows without a key are told with their values, however few are held at once", async () => {
  const source: MemorySide = { rows: () => [...many, [null, 'ä "b"']], digests: same };
  const target: MemorySide = { rows: () => many.slice(0, 500), digests: same };
  for (const rowsAtOnce of [10_000, 20]) {
    const { differences } = await validatedInMemory(
      keyless,
      { source, target },
      { rowsAtOnce, withValues: true },
    );
    const found = differences.map(({ values }) => [values?.source?.["id"], values?.source?.["word"]]);
    const expected = [...many.slice(500), [null, 'ä "b"']];
    assert.deepEqual(found.toSorted(), expected.toSorted());
    assert.ok(differences.every(({ values }) => values?.target === undefined));
  }
});

test("rows of a key that the target has several times are told once, however few rows are held at once", async () => {
  const table: MemoryTable = { ...keyed, targetKey: [] };
  const twice = many.flatMap(([key, value]): MemoryRow[] => [
    [key!, value!],
    [key!, `other ${key}`],
  ]);
  for (const rowsAtOnce of [10_000, 100, 1]) {
    const source: MemorySide = { rows: () => many, digests: same };
    const target: MemorySide = { rows: () => twice, digests: same };
    const { extra, missing, different, differences } = await validatedInMemory(
      table,
      { source, target },
      { rowsAtOnce },
    );
    assert.deepEqual({ extra, missing, different }, { extra: 600, missing: 0, different: 0 });
    assert.equal(differences.length, 600);
  }
});

test("rows without a key are told once, whatever texts of them the servers digest", async () => {
  const copies = (count: number): readonly MemoryRow[] =>
    Array.from({ length: 20 * count }, (_, i) => [null, `"word ${i % 20}"`]);
  for (const rowsAtOnce of [1, 1_000]) {
    const { missing, extra, differences } = await validatedInMemory(
      { ...keyless, columns: [id, json] },
      {
        source: { rows: () => copies(3), digests: same },
        target: { rows: () => copies(2), digests: (value) => `${value} ` },
      },
      { rowsAtOnce },
    );
    assert.deepEqual({ missing, extra }, { missing: 20, extra: 0 });
    assert.equal(differences.length, 20);
  }
});

test("rows that both sides hold under keys that no constraint guards are found in a few scans", async () => {
  const table: MemoryTable = { ...keyed, targetKey: [] };
  const target: MemorySide = { rows: () => many.map(([key]): MemoryRow => [key!, "other"]), digests: same };
  const source: MemorySide = { rows: () => many, digests: same };
  const { different, differences } = await validatedInMemory(table, { source, target }, { rowsAtOnce: 20 });
  assert.equal(different, 600);
  assert.equal(new Set(differences.map(({ key }) => key?.["id"])).size, 600);
  for (const { scans } of [source, target]) assert.ok(scans! <= 2, `${scans} scans`);
});

test("a table of which most rows differ is scanned a few times, however few rows are held at once", async () => {
  const shifted: readonly MemoryRow[] = [
    ...many.slice(1).map(([key], i): MemoryRow => [key!, `word ${i}`]),
    ["1000", "stray"],
  ];
  const expected = { missing: 1, extra: 1, different: 599 };
  for (const rowsAtOnce of [10_000, 100, 20]) {
    for (const digests of [same, undefined]) {
      const own = digests === undefined ? {} : { digests };
      const source: MemorySide = { rows: () => many, ...own };
      const target: MemorySide = { rows: () => shifted, ...own };
      const { missing, extra, different, differences } = await validatedInMemory(
        keyed,
        { source, target },
        { rowsAtOnce },
      );
      assert.deepEqual({ missing, extra, different }, expected);
      assert.equal(new Set(differences.map(({ key }) => key?.["id"])).size, 601);
      for (const { scans, lookups } of [source, target]) {
        assert.ok(scans! < 3.5, `${scans} scans`);
        assert.ok(lookups! < 10 * many.length, `${lookups} rows looked up`);
      }
    }
  }
});

test("of a table that is larger than its server estimates no more is read for a row that differs", async () => {
  const large = Array.from({ length: 20_000 }, (_, i): MemoryRow => [String(i), `word ${i}`]);
  const source: MemorySide = { rows: () => large, digests: same };
  const target: MemorySide = { rows: () => large.with(7, ["7", "other"]), digests: same };
  const table = { ...keyed, estimatedRows: -1 };
  const { different } = await validatedInMemory(table, { source, target }, { rowsAtOnce: 1_000 });
  assert.equal(different, 1);
  assert.ok(target.sent! < 1_000, `${target.sent} rows sent`);
});

test("the target is not read again where it has no row too many", async () => {
  const source: MemorySide = { rows: () => many, digests: same };
  const target: MemorySide = { rows: () => many.map(([key]): MemoryRow => [key!, "other"]), digests: same };
  const { different } = await validatedInMemory(keyed, { source, target }, { rowsAtOnce: 20 });
  assert.equal(different, 600);
  assert.ok(target.scans! < 1.5, `${target.scans} scans`);
});

test("rows are read once where the servers have other texts for most of the same JSON", async () => {
  const documents = Array.from({ length: 600 }, (_, i): MemoryRow => [String(i), `{"a": ${i}}`]);
  const table: MemoryTable = { columns: [id, json], key: [0], estimatedRows: 5_000 };
  const source: MemorySide = { rows: () => documents, digests: same };
  const other = { rows: () => documents.with(7, ["7", "{}"]), digests: (value: string) => `${value} ` };
  const target: MemorySide = other;
  const { different, differences } = await validatedInMemory(table, { source, target }, { rowsAtOnce: 200 });
  assert.equal(different, 1);
  assert.deepEqual(differences[0]?.key, { id: "7" });
  assert.ok(target.scans! <= 4, `${target.scans} scans`);
});
