import assert from "node:assert/strict";
import { after, test } from "node:test";
import { armingOf, killsIn } from "../support/kills.ts";
import { startMysql } from "../support/mysql-server.ts";
import { startPostgres } from "../support/postgres-server.ts";
import {
  type RetryPair,
  RetryWriter,
  retryKinds,
  retryTables,
  retryTransaction,
} from "../support/retry-pair.ts";
import { serverOfFile } from "../support/server-pair.ts";

/* A task is killed at every step of trying rows again, while an application writes, and each time its next process goes on. */

const [postgres, otherPostgres, mysql] = await Promise.all([
  serverOfFile(startPostgres()),
  serverOfFile(startPostgres()),
  serverOfFile(startMysql({ flavour: "mariadb" })),
]);
const servers = { postgres, otherPostgres, mysql };

const pairs: RetryPair[] = [];
after(() => Promise.all(pairs.map(({ runs }) => runs.end())));

for (const { name, alter, make } of retryKinds) {
  test(`${name}: killed at each step of a retry, the task ends with equal databases and no record`, async () => {
    const widen = (type: string): string =>
      `alter table t ${alter("v", type)}; alter table pair ${alter("v", type)}`;
    const pair = await make(servers, {
      tables: retryTables,
      narrow: widen("varchar(4)"),
      names: ["t", "pair"],
    });
    pairs.push(pair);
    const { runs } = pair;
    await pair.write("insert into t values (1, 'ok', 0), (2, 'far too long', 0), (3, null, 0)");
    const task = await runs.replicate();
    {
      await using _writer = new RetryWriter(pair, retryTransaction);
      const isRefusing = (): Promise<void> =>
        task.until(({ tables }) => tables.every(({ refused }) => refused > 20));
      await isRefusing();
      await runs.drain(task);
      await pair.target(widen("varchar(40)"));
      let number = 0;
      for (const kill of killsIn("retry")) {
        const before = await pair.recorded();
        await runs.killAt(armingOf(kill), { retry: { number: ++number, tables: undefined } });
        const left = await pair.recorded();
        if (kill.failpoint === "retry.committed") assert.ok(left < before, "what was committed stays");
        else assert.ok(left >= before, `nothing is gone at ${kill.failpoint}`);
      }
    }
    const last = {
      start: "resume-processing",
      retry: { number: 9, tables: undefined },
      untilCaughtUp: true,
    } as const;
    const { running } = runs.run(last);
    const { progress, error } = await running.outcome;
    assert.equal(error, undefined);
    assert.deepEqual(
      progress.retry?.tables.map(({ left }) => left),
      progress.retry?.tables.map(() => 0),
    );
    assert.equal(await pair.recorded(), 0);
    await pair.assertEqual();
  });
}
