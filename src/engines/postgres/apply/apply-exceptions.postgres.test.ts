import assert from "node:assert/strict";
import { test } from "node:test";
import type { Replication } from "../../../../test/support/replication.ts";
import { betweenVersions, OLDEST_AND_NEWEST } from "../../../../test/support/replication-suites.ts";
import { reopen } from "../../../../test/support/row-error-cases.ts";

interface Recorded {
  readonly key: Record<string, string>;
  readonly values?: Record<string, string | null>;
}

/** What was passed over, in the order in which it was recorded. */
async function exceptions(r: Replication): Promise<readonly Recorded[]> {
  const rows = await r.queryTarget(`select "STATEMENT" as said from awsdms_apply_exceptions order by ctid`);
  return rows.map(({ said }) => JSON.parse(said.slice(said.indexOf(" {"))));
}

const TABLE =
  "create table t (k text primary key, v varchar(9), n numeric, j jsonb, tags text[], other text)";

betweenVersions("exceptions of characters that the target lacks", OLDEST_AND_NEWEST, (start) => {
  test("rows with characters that the target's encoding lacks are recorded with them, and all others come", async () => {
    await using r = await start(TABLE, { targetEncoding: "LATIN1" });
    await reopen(r, { withValues: true }, true);
    await r.write(
      `insert into t values ('é', 'ok', 1.50, '{"a": "ü"}', '{x}'), ('日本', 'x', 2.50, '{"a": "€"}', '{日}')`,
    );
    await r.write(
      "update t set v = '€' where k = 'é'; insert into t values ('plain', 'ok'); delete from t where k = '日本'",
    );
    assert.deepEqual(await r.queryTarget("select k, v, j from t order by k"), [
      { k: "plain", v: "ok", j: null },
      { k: "é", v: "ok", j: { a: "ü" } },
    ]);
    const [inserted, updated, deleted] = await exceptions(r);
    assert.deepEqual([inserted?.key, updated?.key, deleted?.key], [{ k: "日本" }, { k: "é" }, { k: "日本" }]);
    const { tags, ...values } = inserted!.values!;
    assert.deepEqual(values, { k: "日本", v: "x", n: "2.50", j: '{"a": "€"}', other: null });
    // An array comes as the bytes that were sent where these are not its text.
    assert.match(tags!, /^(\{日\}|\\x[0-9a-f]*e697a5)$/);
  });
});
