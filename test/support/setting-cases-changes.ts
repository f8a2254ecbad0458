import { FROM_BOTH, type SettingCase, type SettingStory } from "./setting-case.ts";
import type { SettingRun } from "./setting-run.ts";

/* How tasks end with each value of the settings that say how changes come. */

const CAUGHT_UP = "NORMAL";

const TRANSACTIONS = 20;

/** What was written while the task was stopped comes in as many transactions as it was, or in fewer. */
async function backlog(run: SettingRun): Promise<void> {
  await run.task.until(({ phase }) => phase === "replicating");
  await run.stop();
  for (let id = 101; id <= 100 + TRANSACTIONS; id++) await run.onSource(`insert into t values (${id}, 'v')`);
  run.resume();
}

const grouping: SettingStory = {
  settings: { FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING" } },
  there: {
    postgres: "create table t (id int primary key, v varchar(20))",
    mariadb: `create table t (id int primary key, v varchar(20), written bigint unsigned generated always as row start,
      gone bigint unsigned generated always as row end, period for system_time (written, gone)) with system versioning`,
  },
  during: backlog,
  query: {
    postgres: `select count(*), count(distinct xmin::text) = ${TRANSACTIONS} from t where id > 100`,
    mariadb: `select count(*), if(count(distinct written) = ${TRANSACTIONS}, 'true', 'false') from t where id > 100`,
  },
};

const ALTERED = "alter table t add column w int default 5; insert into t values (3, 'three', 6)";
const TRUNCATED = "truncate t; insert into t values (3, 'three')";
const TWO_TABLES = `create table t (id int primary key, v varchar(20)); create table u (id int primary key);
  insert into t values (1, 'one')`;

export const changeSettingCases: readonly SettingCase[] = [
  {
    path: "ChangeProcessingTuning.BatchSplitSize",
    ...grouping,
    endings: [
      [0, [CAUGHT_UP, `${TRANSACTIONS} false`]],
      [1, [CAUGHT_UP, `${TRANSACTIONS} true`]],
    ],
  },
  {
    path: "ChangeProcessingTuning.BatchApplyMemoryLimit",
    ...grouping,
    endings: [
      [500, [CAUGHT_UP, `${TRANSACTIONS} false`]],
      [0, [CAUGHT_UP, `${TRANSACTIONS} true`]],
    ],
  },
  {
    path: "ChangeProcessingDdlHandlingPolicy.HandleSourceTableDropped",
    ...{ made: TWO_TABLES, changed: "drop table t" },
    query: "select table_name from information_schema.tables where table_schema = '{schema}' order by 1",
    endings: [
      [true, [CAUGHT_UP, "u"]],
      [false, [CAUGHT_UP, "t aside: source.table_changed", "t", "u"]],
    ],
  },
  {
    path: "ChangeProcessingDdlHandlingPolicy.HandleSourceTableTruncated",
    ...{ changed: TRUNCATED, directions: FROM_BOTH },
    endings: [
      [true, [CAUGHT_UP, "3 three"]],
      [false, [CAUGHT_UP, "1 one", "2 two", "3 three"]],
    ],
  },
  {
    path: "ChangeProcessingDdlHandlingPolicy.HandleSourceTableAltered",
    ...{ changed: ALTERED, query: "select * from t order by id", directions: FROM_BOTH },
    endings: [
      [true, [CAUGHT_UP, "1 one 5", "2 two 5", "3 three 6"]],
      [false, [CAUGHT_UP, "1 one", "2 two", "3 three"]],
    ],
  },
  {
    path: "LoopbackPreventionSettings.EnableLoopbackPrevention",
    changed: `insert into t values (3, 'own'); select pg_replication_origin_create('other {schema}');
      select pg_replication_origin_session_setup('other {schema}'); insert into t values (4, 'of another')`,
    endings: [
      [true, { postgres: [CAUGHT_UP, "1 one", "2 two"], mariadb: ["target.origin_privilege"] }],
      [false, [CAUGHT_UP, "1 one", "2 two", "3 own", "4 of another"]],
    ],
  },
];
