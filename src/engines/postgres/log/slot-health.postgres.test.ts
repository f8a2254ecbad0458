import assert from "node:assert/strict";
import { test } from "node:test";
import { startPostgres } from "../../../../test/support/postgres-server.ts";
import { connect } from "../connection/connection.ts";
import { parseUrl } from "../url.ts";
import { slotHealth } from "./slot-health.ts";

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
      assert.equal(await slotHealth(client, "none"), undefined);
      await client.query("select pg_create_logical_replication_slot('behind', 'pgoutput')");
      const first = (await slotHealth(client, "behind"))!;
      assert.equal(first.findings.length, 0);
      assert.ok(first.keptBytes >= first.behindBytes && first.keptBytes < 1 << 20, `${first.keptBytes}`);
      let { findings: found } = first;
      for (let segments = 0; found.length === 0 && segments < 10; segments++) {
        await client.query(
          "select pg_logical_emit_message(false, 'fill', repeat('x', 1000000)) from generate_series(1, 8)",
        );
        const health = (await slotHealth(client, "behind"))!;
        assert.ok(health.behindBytes > segments * 8_000_000, `${health.behindBytes}`);
        found = health.findings;
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

test("it is told when the source waits for a standby that is away", async () => {
  await using server = await startPostgres({ settings: { synchronized_standby_slots: "here, gone" } });
  const client = await connect(parseUrl(server.url()), { side: "source", purpose: "test" }, never);
  try {
    await client.query("select pg_create_physical_replication_slot('here', true)");
    const told = async (failover: boolean): Promise<string[]> => {
      const name = `slot_${failover}`;
      await client.query(
        `select pg_create_logical_replication_slot('${name}', 'pgoutput', false, false, ${failover})`,
      );
      const { findings } = (await slotHealth(client, name))!;
      return findings.map(({ code, severity, subject }) => `${severity} ${code} ${subject}`);
    };
    assert.deepEqual(await told(true), [
      "warning source.standby_away here",
      "warning source.standby_away gone",
    ]);
    assert.deepEqual(await told(false), []);
  } finally {
    await client.end();
  }
});
