import assert from "node:assert/strict";
import { after, test } from "node:test";
import { everything } from "../support/mapping-rules.ts";
import { drain, reasons, stop } from "../support/noted-schema.ts";
import { serverPair } from "../support/server-pair.ts";
import { TaskPair } from "../support/task-pair.ts";

/* Schema changes of tables whose large objects are limited in size. */

const servers = await serverPair();
const pairs: TaskPair[] = [];
after(() => Promise.all(pairs.map((pair) => pair.end())));

const schema = `create schema app; ${["t", "grown", "ruled"]
  .map(
    (name) => `create table app.${name} (id int primary key, v varchar(100), t text);
      insert into app.${name} select i, 'v' || i, repeat('t', 1000 + 10 * i) from generate_series(1, 9) i;`,
  )
  .join("")}`;

const limit = {
  ...{ "rule-type": "table-settings", "rule-id": 7, "rule-name": "7" },
  "object-locator": { "schema-name": "app", "table-name": "ruled" },
  "lob-settings": { mode: "limited", "bulk-max-size": 2 },
};

async function makePair(name: string): Promise<TaskPair> {
  const pair = await TaskPair.make(servers, {
    ...{ name, schema },
    tableMappings: JSON.stringify({ rules: [everything, limit] }),
    settings: JSON.stringify({
      TargetMetadata: { LimitedSizeLobMode: true, LobMaxSize: 1 },
      ErrorBehavior: { RecoverableErrorInterval: 1 },
    }),
  });
  pairs.push(pair);
  return pair;
}

test("columns that come later, and such as become large, are cut off like the others", async () => {
  const pair = await makePair("cut_altered");
  const task = await pair.replicate();
  await pair.query(`alter table app.t add column late text default repeat('é', 3000);
    insert into app.t (id, v, t) values (10, 'x', repeat('n', 2000));
    update app.t set late = repeat('u', 5000) where id = 1;
    alter table app.grown alter v type text;
    insert into app.grown values (10, repeat('w', 4000), null);
    update app.grown set v = repeat('€', 4000) where id = 1`);
  assert.deepEqual(reasons((await drain(task)).progress), {});
  for (const [name, columns] of [
    ["t", "id, v, left(t, 1024) as t, left(late, case id when 1 then 1024 else 512 end) as late"],
    ["grown", "id, left(v, case id when 1 then 341 else 1024 end) as v, left(t, 1024) as t"],
  ]) {
    const wanted = await pair.query(`select ${columns} from app.${name} order by id`);
    const found = await pair.queryTarget(`select * from app.${name} order by id`);
    assert.deepEqual(found, wanted, name);
  }
});

test("a table that gets a name for which another limit holds is not followed, and is loaded as a new one", async () => {
  const pair = await makePair("cut_renamed");
  await pair.query(
    "alter table app.ruled drop constraint ruled_pkey; alter table app.ruled replica identity full",
  );
  const task = await pair.replicate();
  await pair.query("alter table app.ruled rename to other");
  await pair.query("insert into app.other values (10, 'x', repeat('n', 3000))");
  const { ruled, ...others } = reasons((await drain(task)).progress);
  assert.match(ruled!, /dropped or renamed|column t treated in another way by the table mappings/);
  assert.deepEqual(others, {});
  const wanted = await pair.query("select id, v, left(t, 1024) as t from app.other order by id");
  assert.deepEqual(await pair.queryTarget("select * from app.other order by id"), wanted);
});

test("tables whose limit is another when the task goes on are set aside, and the others go on", async () => {
  const pair = await makePair("cut_resumed");
  await stop(await pair.replicate());
  const settings = JSON.stringify({
    TargetMetadata: { FullLobMode: true },
    ErrorBehavior: { RecoverableErrorInterval: 1 },
  });
  const task = await pair.replicate({ start: "resume-processing", settings });
  const { t, grown, ...others } = reasons((await drain(task)).progress);
  assert.match(t!, /treat the column t in another way/);
  assert.match(grown!, /treat the column t in another way/);
  assert.deepEqual(others, {});
});
