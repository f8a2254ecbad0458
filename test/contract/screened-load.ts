import assert from "node:assert/strict";
import { test } from "node:test";
import { MigrationError } from "../../src/core/error.ts";
import type { RowErrorPolicies } from "../../src/core/row-errors.ts";
import type { Loader } from "../../src/core/target.ts";
import { LOG } from "../support/row-error-policies.ts";
import { copyFrames } from "./change-rows.ts";
import type { TargetStage } from "./target-stage.ts";

/** As many rows as a load writes together. */
const GROUP = 1_000;

const LIMIT_OF_THREE: RowErrorPolicies = { ...LOG, refusedLimit: { count: 3, action: "suspend-table" } };

/** What holds for every target when it loads rows of which it refuses some. */
export function screenedLoadContract(stage: () => Promise<TargetStage>): void {
  const open = (at: TargetStage, partition: string): Promise<Loader> =>
    at.openLoader({ partition, screens: LIMIT_OF_THREE });

  /** Writes a group of rows from a key on, with values that are too long for so many of them. */
  const write = async (loader: Loader, { from = 0, refused = 0 }): Promise<void> => {
    const value = (i: number): string => (i < refused ? "x".repeat(50) : "fits");
    const lines = Array.from({ length: GROUP }, (_, i) => `${from + i}\t${value(i)}\t1`);
    await loader.write({ bytes: copyFrames(lines), rows: lines.length });
  };

  const isBeyondLimit = (error: unknown): boolean =>
    error instanceof MigrationError && error.code === "apply.too_many_errors" && error.table !== undefined;

  test("partitions that are loaded beside each other count refused rows against one limit", async () => {
    await using at = await stage();
    await at.schema.run("insert into t values (2, 'in the way', 0)");
    await using first = await open(at, "0");
    // One is refused for its value, one because its key is there.
    await write(first, { from: 1, refused: 1 });
    {
      await using second = await open(at, "1");
      await assert.rejects(write(second, { from: 2_000, refused: 1 }), isBeyondLimit);
    }
    {
      await using third = await open(at, "2");
      await write(third, { from: 4_000 });
      // What the second has left out is taken back, so as many as before are.
      await assert.rejects(write(third, { from: 6_000, refused: 1 }), isBeyondLimit);
    }
    assert.deepEqual((await first.finish()).leftOut, { refused: 2, logged: 2 });
    await first[Symbol.asyncDispose]();
    await using second = await open(at, "1");
    await assert.rejects(write(second, { from: 2_000, refused: 1 }), isBeyondLimit);
    assert.deepEqual(await at.exceptions(), ["1", "2"]);
    assert.equal((await at.rows()).length, GROUP - 1);
  });

  test("refused rows of a partition that is given up do not count any more", async () => {
    await using at = await stage();
    await using first = await open(at, "0");
    {
      await using second = await open(at, "1");
      await write(second, { from: 2_000, refused: 2 });
    }
    await write(first, { refused: 2 });
    assert.deepEqual((await first.finish()).leftOut, { refused: 2, logged: 2 });
    assert.deepEqual(await at.exceptions(), ["0", "1"]);
  });

  test("a partition of which a row is neither written nor recorded is not loaded", async () => {
    await using at = await stage();
    await using loader = await open(at, "0");
    await loader.write({ bytes: copyFrames(["1\tone\t1", "2\ttwo\t2"]), rows: 3 });
    await assert.rejects(
      loader.finish(),
      (error) => error instanceof MigrationError && error.code === "internal.unexpected",
    );
    await loader[Symbol.asyncDispose]();
    assert.deepEqual(await at.rows(), []);
    assert.deepEqual(await at.loaded(), { done: false, rows: 0 });
  });
}
