import assert from "node:assert/strict";
import { test } from "node:test";
import type { Grant, ObjectRights } from "../../../core/rights.ts";
import type { FoundRights } from "../catalog/catalog-rights.ts";
import { grantSteps, ownerStatement } from "./rights-statements.ts";

function grant(privilege: string, more: Partial<Grant> = {}): Grant {
  return { privilege, grantable: false, ...more };
}

function rights(more: Partial<FoundRights> = {}): FoundRights {
  return {
    ...{ kind: "table", id: { schema: "app", name: "t" }, identity: "app.t", owner: "boss" },
    ...{ granted: [], revoked: [], ...more },
  };
}

function textsOf(...[wanted, actual]: Parameters<typeof grantSteps>): string[] {
  return grantSteps(wanted, actual).map(({ text }) => text);
}

test("each role gives after it was given, and neighbours share a statement", () => {
  const granted = [
    grant("SELECT", { by: "third", to: "fourth" }),
    grant("SELECT", { by: "Second", to: "third", grantable: true }),
    grant("INSERT", { to: "Second", grantable: true }),
    grant("SELECT", { to: "Second", grantable: true }),
    grant("UPDATE", { to: "public", column: 'odd "name"' }),
  ];
  assert.deepEqual(
    textsOf(rights({ granted }), rights()),
    [
      'grant insert, select on table app.t to "Second" with grant option',
      'grant update ("odd ""name""") on table app.t to public',
      'set role "third"; grant select on table app.t to "fourth"; reset role',
      'set role "Second"; grant select on table app.t to "third" with grant option; reset role',
    ].toSorted(byGiver),
  );
});

/** The order among those that do not wait for each other is not said. */
function byGiver(a: string, b: string): number {
  const rank = (text: string): number =>
    text.includes('"third"; ') ? 2 : text.includes('"Second"; ') ? 1 : 0;
  return rank(a) - rank(b);
}

test("what is too much is revoked first, what the server gives by itself too", () => {
  const wanted = rights({ kind: "function", revoked: [grant("EXECUTE", { to: "public" })] });
  const actual = rights({
    kind: "function",
    identity: "app.f()",
    granted: [grant("EXECUTE", { to: "other" })],
  });
  assert.deepEqual(textsOf(wanted, actual), [
    'revoke execute on routine app.f() from "other"',
    "revoke execute on routine app.f() from public",
  ]);
  assert.deepEqual(textsOf(actual, { ...wanted, identity: "app.f()" }), [
    'grant execute on routine app.f() to "other"',
    "grant execute on routine app.f() to public",
  ]);
  assert.deepEqual(textsOf(wanted, wanted), []);
});

test("the owner's own privileges are those of whoever owns the object there", () => {
  const wanted = rights({ revoked: [grant("DELETE")] });
  assert.deepEqual(textsOf(wanted, rights({ owner: "user" })), ['revoke delete on table app.t from "user"']);
});

test("default privileges are given for the role whose objects get them", () => {
  const granted = [grant("SELECT", { to: "reader" })];
  const wanted: ObjectRights = rights({
    ...{ kind: "default privileges on tables", id: { schema: "app", name: "boss" }, granted },
  });
  assert.deepEqual(textsOf(wanted, { ...wanted, granted: [], identity: "" }), [
    'alter default privileges for role "boss" in schema "app" grant select on tables to "reader"',
  ]);
});

test("a column's sequence follows its table, and everything else has an owner of its own", () => {
  const on = { schema: "app", name: "t" };
  const theirs = rights({ owner: "user" });
  // Whose it is on the target, not on the source.
  assert.equal(ownerStatement(rights({ kind: "sequence" }), { ...theirs, on }), undefined);
  const statement = (kind: ObjectRights["kind"], more: Partial<ObjectRights> = {}) =>
    ownerStatement({ ...rights(), kind, ...more }, theirs);
  assert.equal(statement("table", { on }), 'alter table app.t owner to "boss"');
  assert.equal(statement("partitioned table"), 'alter table app.t owner to "boss"');
  assert.equal(statement("materialized view"), 'alter materialized view app.t owner to "boss"');
  assert.equal(statement("procedure"), 'alter routine app.t owner to "boss"');
  assert.equal(statement("sequence"), 'alter sequence app.t owner to "boss"');
  assert.equal(statement("sequence", { on }), 'alter sequence app.t owner to "boss"');
  assert.equal(statement("default privileges on types"), undefined);
  assert.equal(ownerStatement(theirs, theirs), undefined);
});

test("what a server may refuse can be given apart from the rest", () => {
  const granted = [grant("MAINTAIN", { to: "app" }), grant("SELECT", { to: "app" })];
  assert.deepEqual(grantSteps(rights({ granted }), rights()), [
    {
      text: 'grant maintain, select on table app.t to "app"',
      parts: ['grant maintain on table app.t to "app"', 'grant select on table app.t to "app"'],
    },
  ]);
});

test("the owner's right to give a privilege on takes the place of the privilege", () => {
  const wanted = rights({ granted: [grant("SELECT", { grantable: true })], revoked: [grant("SELECT")] });
  assert.deepEqual(textsOf(wanted, rights()), ['grant select on table app.t to "boss" with grant option']);
  assert.deepEqual(textsOf(wanted, wanted as FoundRights), []);
});
