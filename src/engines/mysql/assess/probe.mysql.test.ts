import assert from "node:assert/strict";
import { statfs } from "node:fs/promises";
import { test } from "node:test";
import { startMysql } from "../../../../test/support/mysql-server.ts";
import { serverOfFile } from "../../../../test/support/server-pair.ts";
import { connect } from "../connection/connection.ts";
import { probe } from "./probe.ts";

const server = await serverOfFile(startMysql({ flavour: "mariadb" }));

async function freeBytes(): Promise<number | undefined> {
  const signal = new AbortController().signal;
  const client = await connect(server.endpoint(), { side: "target", purpose: "test" }, signal);
  try {
    return (await probe(client)).freeBytes;
  } finally {
    await client.end();
  }
}

test("MariaDB tells how much space its data has left where its plugin for that is installed", async () => {
  assert.equal(await freeBytes(), undefined);
  await server.query("install soname 'disks'");
  const told = await freeBytes();
  const { bavail, bsize } = await statfs(server.directory);
  const isNear = told !== undefined && Math.abs(told - bavail * bsize) < 1e9;
  assert.ok(isNear, `${told} bytes told, ${bavail * bsize} left`);
});
