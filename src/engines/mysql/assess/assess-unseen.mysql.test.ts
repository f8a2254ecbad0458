import assert from "node:assert/strict";
import { test } from "node:test";
import { startMysql } from "../../../../test/support/mysql-server.ts";
import type { Finding } from "../../../core/finding.ts";
import { describe, listTables } from "../catalog/catalog.ts";
import { connect } from "../connection/connection.ts";
import { assessSource } from "./assess-source.ts";

const CHOICES = { booleans: false, timesOfDay: false };
const signal = new AbortController().signal;

for (const flavour of ["mariadb", "mysql"] as const) {
  test(`what ${flavour} does not show to a user is told: single columns, and what is not moved`, async () => {
    await using server = await startMysql({ flavour });
    await server.query(
      `create database shop; use shop;
       create table a (x int primary key, seen int, hidden int); create table others (x int primary key);
       create trigger acts before insert on a for each row set new.seen = 1;
       create event happens on schedule every 1 day do select 1; create procedure p() select 1;
       create user peeper identified by 'pw'; grant reload on *.* to peeper; grant select (x, seen) on shop.a to peeper`,
    );
    const endpoint = { ...server.endpoint("shop"), username: "peeper", password: "pw" };
    const assessed = async (): Promise<readonly Finding[]> => {
      const client = await connect(endpoint, { side: "source", purpose: "test" }, signal);
      try {
        const { tables } = await describe(client, await listTables(client, endpoint), CHOICES);
        const moved = { movesWhole: undefined, movesRights: false, movesLargeObjects: false };
        const request = { taskId: "T1", type: "full-load", tables, resumes: false, ...moved } as const;
        return await assessSource(client, request, CHOICES);
      } finally {
        await client.end();
      }
    };
    const told = (findings: readonly Finding[]): readonly string[] =>
      findings.map(({ code, severity, subject }) => `${severity} ${code} ${subject}`);
    const before = await assessed();
    assert.deepEqual(told(before), [
      "error source.table_privilege shop.a",
      "info source.privilege database shop",
    ]);
    for (const { fix } of before) for (const sql of fix!.statements) await server.query(sql);
    assert.deepEqual(told(await assessed()), [
      "warning source.not_moved triggers",
      "warning source.not_moved functions and procedures",
      "warning source.not_moved events",
    ]);
  });
}
