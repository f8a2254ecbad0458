import assert from "node:assert/strict";
import { after, test } from "node:test";
import { armingOf, killsIn } from "../support/kills.ts";
import { startMysql } from "../support/mysql-server.ts";
import { startPostgres } from "../support/postgres-server.ts";
import {
  compareAnew,
  plant,
  planted,
  repairNames,
  repairRows,
  repairSettings,
  repairTables,
  repairTransaction,
} from "../support/repair-pair.ts";
import { type RetryPair, RetryWriter, retryKinds } from "../support/retry-pair.ts";
import { serverOfFile } from "../support/server-pair.ts";
import { areCompared } from "../support/task-validation.ts";

/* A task is killed at every step of a repair, while an application writes, and each time its next process goes on. */

const [postgres, otherPostgres, mysql] = await Promise.all([
  serverOfFile(startPostgres()),
  serverOfFile(startPostgres()),
  serverOfFile(startMysql({ flavour: "mariadb" })),
]);
const servers = { postgres, otherPostgres, mysql };

const pairs: RetryPair[] = [];
after(() => Promise.all(pairs.map(({ runs }) => runs.end())));

/** Rows that nobody writes, and that are damaged. */
const DAMAGED = "select v from t where v in ('other', 'stray') and id > 200";

for (const { name, make } of retryKinds) {
  test(`${name}: killed at each step of a repair, the task ends with equal databases and no record`, async () => {
    const pair = await make(servers, {
      ...{ tables: repairTables, names: repairNames, narrow: "select 1", settings: repairSettings() },
    });
    pairs.push(pair);
    const { runs } = pair;
    await pair.write(repairRows());
    const task = await runs.replicate();
    await plant(pair);
    compareAnew(task, 1);
    await task.until((progress) => areCompared(progress, planted));
    await runs.drain(task);
    const wish = { tables: undefined, of: "differences" } as const;
    {
      await using _writer = new RetryWriter(pair, repairTransaction);
      let number = 0;
      for (const kill of killsIn("retry")) {
        const before = (await pair.target(DAMAGED)).length;
        await runs.killAt(armingOf(kill), { retry: { ...wish, number: ++number } });
        const left = (await pair.target(DAMAGED)).length;
        if (kill.failpoint !== "retry.committed")
          assert.equal(left, before, `nothing has come at ${kill.failpoint}`);
      }
    }
    const last = { start: "resume-processing", retry: { ...wish, number: 9 }, untilCaughtUp: true } as const;
    const { progress, error } = await runs.run(last).running.outcome;
    assert.equal(error, undefined);
    assert.equal(progress.retry?.state, "done");
    assert.ok(progress.retry.tables.length > 0 && progress.retry.tables.every(({ left }) => left === 0));
    assert.ok(areCompared(progress), JSON.stringify(progress.tables.map(({ validation }) => validation)));
    assert.equal(await pair.recorded(), 0, "what changes have missed meanwhile is there now");
    await pair.assertEqual();
  });
}
