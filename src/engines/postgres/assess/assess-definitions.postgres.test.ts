import assert from "node:assert/strict";
import { test } from "node:test";
import { startPostgres } from "../../../../test/support/postgres-server.ts";
import { planOf } from "../../../../test/support/schema-plan.ts";
import { connect } from "../connection/connection.ts";
import { parseUrl } from "../url.ts";
import { assessTarget } from "./assess-target.ts";

const never = new AbortController().signal;

test("types and constraints that an older target has not are told before the start, and those that it has are not", async () => {
  await using source = await startPostgres();
  await using old = await startPostgres({ version: 12 });
  const plan = await planOf(
    source,
    `create type mood as enum ('a'); create domain small as int; create type "Two Words" as (a int);
     create table fits (id int primary key, n numeric(9,2)[], t timestamp(3) with time zone, i interval day to second(2),
       c "char", m mood, s small[], w "Two Words", v varchar(5), b bit varying(3), j jsonpath, unique (n));
     create table ranges (id int primary key, r int4multirange, x xid8); create table scales (n numeric(3,-2), s numeric(2,4));
     create table later (a int, b int, constraint once unique nulls not distinct (a, b))`,
  );
  const told = async (server: typeof old): Promise<string[]> => {
    const client = await connect(parseUrl(server.url()), { side: "target", purpose: "test" }, never);
    try {
      const findings = await assessTarget(client, { plan, mode: "drop-and-create", prepared: new Set() });
      return findings
        .filter(({ code }) => code === "target.object_failed")
        .map(({ severity, subject, message }) => `${severity} ${subject}: ${message.split(",")[0]}`)
        .toSorted();
    } finally {
      await client.end();
    }
  };
  assert.deepEqual(await told(source), []);
  assert.deepEqual(await told(old), [
    "error public.ranges: The column r of public.ranges has the type int4multirange",
    "error public.ranges: The column x of public.ranges has the type xid8",
    "error public.scales: The column n of public.scales has the type numeric(3",
    "error public.scales: The column s of public.scales has the type numeric(2",
    "warning public.later: once of public.later is NULLS NOT DISTINCT",
  ]);
});
