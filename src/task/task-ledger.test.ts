import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { tableProgress, taskProgress } from "../../test/support/progress.ts";
import { taskRecord as record } from "../../test/support/task-record.ts";
import { openSqliteStore } from "../store/sqlite.ts";
import { TaskLedger } from "./task-ledger.ts";
import { withReloads } from "./wanted-reloads.ts";

test("a wish to load a table again leaves the record when it is answered, and with a word when the table is gone", async () => {
  const directory = await mkdtemp(join(tmpdir(), "tideway-ledger-"));
  await using opened = new AsyncDisposableStack();
  opened.defer(() => rm(directory, { recursive: true }));
  const store = opened.use(openSqliteStore(directory, {}));
  const logged: object[] = [];
  const ledger = new TaskLedger(store, (level, message, fields) =>
    logged.push({ level, message, ...fields }),
  );
  opened.defer(() => ledger.close());
  const [waits, answered, renamed] = ["waits", "answered", "renamed"].map((name) => tableProgress(name).id);
  await store.insert("task", withReloads(record, [waits!, answered!, renamed!]));
  const tables = [tableProgress("waits"), tableProgress("answered", { reloadAnswered: 1 })];
  const told = async (): Promise<unknown> => {
    await ledger.settle();
    return (await store.get("task", record.arn))?.reloads?.map(({ name }) => name);
  };
  ledger.progress(record.arn, taskProgress(tables, { phase: "assessing" }));
  assert.deepEqual(await told(), ["waits", "answered", "renamed"]);
  assert.deepEqual(logged, []);
  ledger.progress(record.arn, taskProgress([...tables, tableProgress("new name")], { phase: "replicating" }));
  assert.deepEqual(await told(), ["waits"]);
  const message = "tables are gone that were to be loaded again";
  assert.deepEqual(logged, [{ level: "warn", message, task: record.arn, tables: ["shop.renamed"] }]);
});
