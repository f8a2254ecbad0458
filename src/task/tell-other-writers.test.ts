import assert from "node:assert/strict";
import { test } from "node:test";
import type { Finding } from "../core/finding.ts";
import type { OtherWriter } from "../core/other-writer.ts";
import { OtherWriters } from "./tell-other-writers.ts";

const table = { schema: "public", name: "item" };
const nobody = { table, session: null, prepared: null, user: null, address: null, application: null };
const app: OtherWriter = { ...nobody, user: "app", counted: null };

/** What is told, one message each, when a target shows these at its first look. */
async function toldOf(...found: readonly OtherWriter[]): Promise<readonly string[]> {
  const told: Finding[] = [];
  const { promise: looked, resolve } = Promise.withResolvers<void>();
  const look = async (): Promise<readonly OtherWriter[]> => {
    // What is told of the answer comes before this.
    setImmediate(resolve);
    return found;
  };
  using _watch = new OtherWriters().watch(
    {
      target: { watchWriters: () => ({ look }) },
      tables: [table],
      tell: (finding) => told.push(finding),
    },
    new AbortController().signal,
  );
  await looked;
  assert.ok(told.every(({ code, subject }) => code === "target.foreign_writes" && subject === "public.item"));
  return told.map(({ message }) => message);
}

test("one writer is told once, with all that is known, whatever sessions it has", async () => {
  const shop = { ...app, session: "7", address: "10.0.0.1", application: "shop" };
  assert.deepEqual(await toldOf(shop, { ...shop, session: "8" }, app), [
    "The user app writes to the target's table public.item (application shop, from 10.0.0.1, session 7).",
    "The user app writes to the target's table public.item.",
  ]);
});

test("transactions that are prepared are told each by its name", async () => {
  const [first, second] = ["one", "two"].map((prepared) => ({ ...app, prepared }));
  assert.deepEqual(await toldOf(first!, second!, first!), [
    "The user app writes to the target's table public.item (prepared transaction one).",
    "The user app writes to the target's table public.item (prepared transaction two).",
  ]);
});

test("what was counted is told once of a table, with the time and the number of rows where it is known", async () => {
  const counted = { rows: 3, withinMs: 5_200, onlyAccount: null };
  const somebody = { ...nobody, counted };
  assert.deepEqual(await toldOf(somebody, somebody), [
    "Somebody writes to the target's table public.item: 3 rows were written in the last 6 seconds, in which Tideway wrote nothing to it.",
  ]);
  const onlyAccount = { user: "app", address: "10.0.0.1" };
  assert.deepEqual(await toldOf({ ...nobody, counted: { rows: null, withinMs: 1, onlyAccount } }), [
    "Somebody writes to the target's table public.item: something was written in the last 1 seconds, in which Tideway wrote nothing to it. Of all others the user app from 10.0.0.1 alone has written to any table meanwhile.",
  ]);
});
