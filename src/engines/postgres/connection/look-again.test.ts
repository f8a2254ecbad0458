import assert from "node:assert/strict";
import { test } from "node:test";
import { lookAgain } from "./look-again.ts";

function failing(times: number, code: string): () => Promise<number> {
  let calls = 0;
  return async () => {
    calls++;
    if (calls <= times) throw Object.assign(new Error(code), { code });
    return calls;
  };
}

test("an object that went while it was looked for is looked for again, a few times", async () => {
  assert.equal(await lookAgain(failing(2, "XX000")), 3);
  assert.equal(await lookAgain(failing(1, "42P01")), 2);
  await assert.rejects(lookAgain(failing(5, "42704")), { code: "42704" });
});

test("another failure is thrown at once", async () => {
  await assert.rejects(lookAgain(failing(1, "42501")), { code: "42501" });
});
