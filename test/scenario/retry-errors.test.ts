import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { RetryProgress } from "../../src/task/task.ts";
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
import type { ObservedTask } from "../support/task.ts";

/*
 * Rows that the target has refused are tried again after it was mended, while an application goes on writing: in the end
 * both sides are the same and nothing is recorded.
 */

const [postgres, otherPostgres, mysql] = await Promise.all([
  serverOfFile(startPostgres()),
  serverOfFile(startPostgres()),
  serverOfFile(startMysql({ flavour: "mariadb" })),
]);
const servers = { postgres, otherPostgres, mysql };

const pairs: RetryPair[] = [];
after(() => Promise.all(pairs.map(({ runs }) => runs.end())));

async function retried(task: ObservedTask, number: number): Promise<RetryProgress> {
  task.running.retryErrors({ number, tables: undefined });
  await task.until(
    ({ retry }) => retry?.number === number && (retry.state === "done" || retry.state === "failed"),
  );
  const { retry } = task.last!;
  assert.equal(retry?.error, undefined);
  return retry!;
}

for (const { name, alter, make } of retryKinds) {
  test(`${name}: what was refused comes after the target is mended, while an application writes`, async () => {
    const widen = (type: string): string =>
      `alter table t ${alter("v", type)}; alter table pair ${alter("v", type)}`;
    const pair = await make(servers, {
      tables: retryTables,
      narrow: widen("varchar(4)"),
      names: ["t", "pair"],
    });
    pairs.push(pair);
    await pair.write("insert into t values (1, 'ok', 0), (2, 'far too long', 0), (3, null, 0)");
    const task = await pair.runs.replicate();
    {
      await using writer = new RetryWriter(pair, retryTransaction);
      await task.until(({ tables }) => tables.every(({ refused }) => refused > 20));
      const before = await retried(task, 1);
      assert.deepEqual(
        before.tables.map(({ left, codes }) => [left > 0, Object.keys(codes).includes("apply.rejected")]),
        [
          [true, true],
          [true, true],
        ],
      );
      const writes = writer.transactions;
      await task.until(({ tables }) => tables.every(({ refused }) => refused > 20));
      await pair.target(widen("varchar(40)"));
      const { tables } = await retried(task, 2);
      assert.ok(tables.every(({ settled }) => settled > 0));
      await retried(task, 3);
      assert.ok(writer.transactions > writes);
    }
    const last = await retried(task, 4);
    assert.deepEqual(
      last.tables.map(({ left }) => left),
      last.tables.map(() => 0),
    );
    const { progress } = await pair.runs.drain(task);
    assert.deepEqual(
      progress.tables.map(({ refused, fullLoadErrorRows }) => refused + fullLoadErrorRows),
      [0, 0],
    );
    assert.equal(await pair.recorded(), 0);
    await pair.assertEqual();
  });
}
