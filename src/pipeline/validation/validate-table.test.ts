import assert from "node:assert/strict";
import { test } from "node:test";
import { type MemoryRow, type MemoryTable, validatedInMemory } from "../../../test/support/rows-in-memory.ts";
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
    assert.equal(stray.verdict === "equal" && stray.undecided === 0, false);
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
