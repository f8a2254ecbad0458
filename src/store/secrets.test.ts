import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { secretBox } from "./secrets.ts";

test("a sealed value opens with the same key and owner only", () => {
  const key = randomBytes(32);
  const sealed = secretBox(key).seal("pass 😀", "endpoint-1 password");
  assert.equal(secretBox(key).open(sealed, "endpoint-1 password"), "pass 😀");
  assert.throws(() => secretBox(key).open(sealed, "endpoint-2 password"), { code: "server.secret_key" });
  assert.throws(() => secretBox(randomBytes(32)).open(sealed, "endpoint-1 password"), {
    code: "server.secret_key",
  });
});

test("every single changed byte of a sealed value is noticed", () => {
  const box = secretBox(randomBytes(32));
  const sealed = box.seal("secret", "owner");
  for (let at = 0; at < sealed.length; at++) {
    const changed = Uint8Array.from(sealed);
    changed[at] = changed[at]! ^ 1;
    assert.throws(() => box.open(changed, "owner"), { code: "server.secret_key" });
  }
  assert.throws(() => box.open(sealed.subarray(0, 10), "owner"), { code: "server.secret_key" });
  assert.throws(() => box.open(new Uint8Array(), "owner"), { code: "server.secret_key" });
});

test("the same value is sealed differently each time", () => {
  const box = secretBox(randomBytes(32));
  assert.notDeepEqual(box.seal("secret", "owner"), box.seal("secret", "owner"));
});
