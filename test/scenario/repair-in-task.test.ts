import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startMysql } from "../support/mysql-server.ts";
import { startPostgres } from "../support/postgres-server.ts";
import {
  compareAnew,
  plant,
  repaired,
  repairNames,
  repairRows,
  repairSettings,
  repairTables,
  repairTransaction,
  tallies,
} from "../support/repair-pair.ts";
import { type RetryPair, RetryWriter, retryKinds } from "../support/retry-pair.ts";
import { serverOfFile } from "../support/server-pair.ts";
import { areCompared } from "../support/task-validation.ts";

/*
 * What somebody has changed on the target behind a task's back is found by its validation and brought as the source has it, while
 * an application writes: in the end both sides are the same, and nothing is recorded.
 */

const [postgres, otherPostgres, mysql] = await Promise.all([
  serverOfFile(startPostgres()),
  serverOfFile(startPostgres()),
  serverOfFile(startMysql({ flavour: "mariadb" })),
]);
const servers = { postgres, otherPostgres, mysql };

const pairs: RetryPair[] = [];
after(() => Promise.all(pairs.map(({ runs }) => runs.end())));

for (const { name, make } of retryKinds) {
  test(`${name}: rows that are missing, extra and different are repaired while an application writes`, async () => {
    const pair = await make(servers, {
      ...{ tables: repairTables, names: repairNames, narrow: "select 1", settings: repairSettings() },
    });
    pairs.push(pair);
    await pair.write(repairRows());
    const task = await pair.runs.replicate();
    {
      await using writer = new RetryWriter(pair, repairTransaction);
      await task.until(() => writer.transactions > 5);
      await plant(pair);
      compareAnew(task, 1);
      const writes = writer.transactions;
      const first = tallies(await repaired(task, 1));
      assert.ok(writer.transactions > writes, "changes go on");
      for (const [table, least] of [
        ["t", 155],
        ["pair", 279],
        ["u", 600],
      ] as const) {
        const [recorded, settled] = first[table]!;
        assert.ok(recorded! >= least && settled! >= least - 5, `${table}: ${first[table]}`);
      }
      // What the writer has written meanwhile may be recorded for a moment, and is not left.
      await repaired(task, 2);
    }
    // Of two rows that change their keys with each other one is gone, now this and now that: each may have been the same when it
    // was looked at. When nothing is written any more, it is found.
    await pair.runs.drain(task);
    const wish = { number: 3, tables: undefined, of: "differences" } as const;
    const last = { start: "resume-processing", retry: wish, untilCaughtUp: true } as const;
    const { progress, error } = await pair.runs.run(last).running.outcome;
    assert.equal(error, undefined);
    assert.equal(progress.retry?.state, "done");
    assert.ok(progress.retry.tables.every(({ left }) => left === 0));
    assert.ok(areCompared(progress), JSON.stringify(progress.tables.map(({ validation }) => validation)));
    // The rows that were gone have been missed by changes, too.
    assert.equal(await pair.recorded(), 0, "what is recorded of rows that are there now has gone");
    assert.ok(progress.tables.every(({ conflicts, refused }) => conflicts + refused === 0));
    await pair.assertEqual();
  });

  test(`${name}: a row that the target refuses is told and stays recorded; a look changes nothing`, async () => {
    const pair = await make(servers, {
      ...{ tables: repairTables, names: repairNames, narrow: "select 1", settings: repairSettings() },
    });
    pairs.push(pair);
    await pair.write(repairRows());
    const task = await pair.runs.replicate();
    await pair.target("delete from t where id in (5, 6, 7); update t set v = 'other' where id = 8");
    await pair.target("alter table t add constraint few check (id <> 6)");
    compareAnew(task, 1);
    await task.until((progress) => areCompared(progress, { t: 4 }));
    const look = await repaired(task, 1, true);
    assert.deepEqual(
      look.tables.map(({ id, recorded, left, kinds }) => [id.name, recorded, left, kinds]),
      [["t", 4, 4, { MISSING_TARGET: 3, RECORD_DIFF: 1 }]],
    );
    assert.equal((await pair.target("select id from t where id in (5, 6, 7)")).length, 0);
    const [told] = (await repaired(task, 2)).tables;
    assert.deepEqual([told!.settled, told!.left, told!.codes], [3, 1, { "apply.rejected": 1 }]);
    await task.until((progress) => areCompared(progress, { t: 1 }));
    assert.equal(await pair.recorded(), 0, "it is recorded as different alone");
    await pair.target(`alter table t drop constraint few`);
    const [last] = (await repaired(task, 3)).tables;
    assert.deepEqual([last!.settled, last!.left, last!.codes], [1, 0, {}]);
    const { progress } = await pair.runs.drain(task);
    assert.ok(areCompared(progress));
    await pair.assertEqual();
  });
}
