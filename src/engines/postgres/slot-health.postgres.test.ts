import assert from "node:assert/strict";
import { test } from "node:test";
import { startPostgres } from "../../../test/support/postgres-server.ts";
import { connect } from "./connection.ts";
import { slotHealth } from "./slot-health.ts";
import { parseUrl } from "./url.ts";

const never = new AbortController().signal;

for (const version of [13, 18]) {
  test(`version ${version} says in time that a slot's log is about to be lost`, async () => {
    const settings = {
      max_slot_wal_keep_size: "48MB",
      wal_keep_size: 0,
      max_wal_size: "64MB",
      min_wal_size: "32MB",
    };
    await using server = await startPostgres({ version, settings });
    const client = await connect(parseUrl(server.url()), { side: "source", purpose: "test" }, never);
    try {
      assert.deepEqual(await slotHealth(client, "none"), []);
      await client.query("select pg_create_logical_replication_slot('behind', 'pgoutput')");
      assert.deepEqual(await slotHealth(client, "behind"), []);
      let found = await slotHealth(client, "behind");
      for (let segments = 0; found.length === 0 && segments < 10; segments++) {
        await client.query(
          "select pg_logical_emit_message(false, 'fill', repeat('x', 1000000)) from generate_series(1, 8)",
        );
        found = await slotHealth(client, "behind");
      }
      assert.deepEqual(
        found.map(({ code, severity, subject }) => `${severity} ${code} ${subject}`),
        ["warning source.slot_at_risk behind"],
      );
    } finally {
      await client.end();
    }
  });
}
