import assert from "node:assert/strict";
import { test } from "node:test";
import { type MemoryRow, type MemoryTable, validatedInMemory } from "../../../test/support/rows-in-memory.ts";
import type { Column } from "../../core/schema.ts";

const id: Column = {
  ...{ name: "id", nativeType: "integer", type: { kind: "int", bits: 32, unsigned: false } },
  nullable: true,
};
const word: Column = {
  ...{ name: "word", nativeType: "text", type: { kind: "string", fixed: false } },
  nullable: true,
};
const columns = [id, word];
const keyed: MemoryTable = { columns, key: [0], estimatedRows: 5_000 };

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
