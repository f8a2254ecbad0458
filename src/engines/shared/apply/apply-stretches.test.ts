import assert from "node:assert/strict";
import { test } from "node:test";
import { MigrationError } from "../../../core/error.ts";
import { Stretches } from "./apply-stretches.ts";

interface Tried {
  readonly taken: readonly number[];
  readonly refused: readonly number[];
  readonly attempts: number;
}

/** Tries changes 0 to `count` - 1 on a target that looks at each with what it has taken until then. */
async function tryAll(
  count: number,
  isFit: (change: number, taken: readonly number[]) => boolean,
  alone = false,
): Promise<Tried> {
  const taken: number[] = [];
  const refused: number[] = [];
  let attempts = 0;
  const stretches = new Stretches<number>({
    alone,
    attempt: async (changes) => {
      attempts++;
      const before = taken.length;
      for (const change of changes) {
        if (!isFit(change, taken)) {
          taken.length = before;
          return new MigrationError("apply.rejected", { message: `${change}` });
        }
        taken.push(change);
      }
      return undefined;
    },
    refused: (change, error) => {
      assert.equal(error.message, `${change}`);
      refused.push(change);
    },
  });
  for (let change = 0; change < count; change++) await stretches.add(change);
  await stretches.flush();
  return { taken, refused, attempts };
}

test("a few refused changes among many are found by few attempts, and the others are taken in their order", async () => {
  const isBad = (change: number): boolean => change % 1_000 === 7 || change === 999 || change === 1_000;
  const { taken, refused, attempts } = await tryAll(3_000, (change) => !isBad(change));
  assert.deepEqual(refused, [7, 999, 1_000, 1_007, 2_007]);
  assert.deepEqual(
    taken,
    Array.from({ length: 3_000 }, (_, change) => change).filter((change) => !isBad(change)),
  );
  assert.ok(attempts < 120, `${attempts} attempts`);
});

test("where all changes are refused, or each is to be tried alone, hardly more is tried than each of them", async () => {
  const none = await tryAll(1_000, () => false);
  assert.equal(none.refused.length, 1_000);
  assert.ok(none.attempts < 1_020, `${none.attempts} attempts`);
  const alone = await tryAll(100, (change) => change % 9 > 0, true);
  assert.deepEqual([alone.attempts, alone.refused.length], [100, 12]);
});

test("whatever is refused, it is what would be if each change were tried by itself", async () => {
  for (let seed = 1; seed <= 24; seed++) {
    const share = [0.001, 0.02, 0.5, 0.95][seed % 4]!;
    const isOdd = (change: number): boolean => ((change * 2_654_435_761 * seed) % 1_000) / 1_000 < share;
    // Some are fit only behind another that is taken, which may be refused.
    const isFit = (change: number, taken: readonly number[]): boolean =>
      !isOdd(change) && (change % 5 > 0 || change === 0 || taken.at(-1) === change - 1);
    const count = 1 + ((seed * 97) % 700);
    const { taken, refused } = await tryAll(count, isFit);
    const wanted = await tryAll(count, isFit, true);
    assert.deepEqual({ taken, refused }, { taken: wanted.taken, refused: wanted.refused }, `seed ${seed}`);
  }
});
