import assert from "node:assert/strict";
import { test } from "node:test";
import { identifier, literal, qualified } from "./identifier.ts";

test("names are quoted whatever they hold", () => {
  assert.equal(identifier("order"), "`order`");
  assert.equal(identifier("a`b"), "`a``b`");
  assert.equal(qualified({ schema: "Shop", name: 'the "t"' }), '`Shop`.`the "t"`');
});

test("literals escape what would end them or is escaped itself", () => {
  assert.equal(literal("it's"), "'it''s'");
  assert.equal(literal("a\\'b"), "'a\\\\''b'");
  assert.equal(literal("\0\n"), "'\\0\n'");
});
