import { FROM_BOTH, type SettingCase, type SettingStory } from "./setting-case.ts";
import type { SettingRun } from "./setting-run.ts";

/* How tasks end with each value of the settings that say where tables come, how, and what is told of it. */

const LOADED = "FULL_LOAD_ONLY_FINISHED";
const CAUGHT_UP = "NORMAL";

const OLDER: SettingStory = {
  there:
    "create table t (id int primary key, v varchar(20), older int default 7); insert into t (id, v) values (9, 'nine')",
  query: `select id, (select count(*) from information_schema.columns where table_schema = '{schema}' and table_name = 't')
    from t order by id`,
};

const NEW_ROW = "insert into t values (3, 'three')";

const metadata: readonly SettingCase[] = [
  {
    path: "TargetMetadata.TargetSchema",
    query:
      "select table_schema from information_schema.tables where table_schema like '{schema}%' and table_name = 't'",
    changed: NEW_ROW,
    endings: [
      ["", [CAUGHT_UP, "{schema}"]],
      ["{schema}_moved", [CAUGHT_UP, "{schema}_moved"]],
    ],
  },
  {
    path: "TargetMetadata.SupportLobs",
    made: "create table t (id int primary key, v varchar(20), long text); insert into t values (1, 'one', 'long')",
    changed: "insert into t values (2, 'two', 'long')",
    query: "select * from t order by id",
    endings: [
      [true, [CAUGHT_UP, "1 one long", "2 two long"]],
      [false, [CAUGHT_UP, "1 one", "2 two"]],
    ],
  },
];

/** One value of 2000 bytes. */
const LONG: SettingStory = {
  made: "create table t (id int primary key, v text); insert into t values (1, repeat('a', 2000))",
  changed: "insert into t values (2, repeat('b', 3000))",
  query: "select id, length(v) from t order by id",
};

const oneOfBothModes = (limited: unknown): object => ({
  TargetMetadata: { LobMaxSize: 1, FullLobMode: limited === false },
});

const cuts: readonly SettingCase[] = [
  {
    path: "TargetMetadata.LimitedSizeLobMode",
    ...{ ...LONG, directions: FROM_BOTH, settings: oneOfBothModes },
    endings: [
      [true, [CAUGHT_UP, "1 1024", "2 1024"]],
      [false, [CAUGHT_UP, "1 2000", "2 3000"]],
    ],
  },
  {
    path: "TargetMetadata.LobMaxSize",
    ...{ ...LONG, directions: FROM_BOTH, settings: { TargetMetadata: { LimitedSizeLobMode: true } } },
    endings: [
      [1, [CAUGHT_UP, "1 1024", "2 1024"]],
      [2, [CAUGHT_UP, "1 2000", "2 2048"]],
    ],
  },
  {
    path: "ErrorBehavior.DataTruncationErrorPolicy",
    ...{ ...LONG, settings: { TargetMetadata: { LimitedSizeLobMode: true, LobMaxSize: 2 } } },
    endings: [
      ["LOG_ERROR", [CAUGHT_UP, "1 2000", "2 2048"]],
      ["IGNORE_RECORD", ["settings.unsupported"]],
      ["SUSPEND_TABLE", [CAUGHT_UP, "t aside: mapping.value_cut", "1 2000"]],
      ["STOP_TASK", ["mapping.value_cut", "1 2000"]],
    ],
  },
];

/** The table a waits on the target for as long as the test holds a lock, and is loaded first. */
const WAITING: SettingStory = {
  made: `create table a (id int primary key); create table b (id int primary key);
    insert into a values (1); insert into b values (1)`,
  rules: [{ "object-locator": { "schema-name": "{schema}", "table-name": "a" }, "load-order": 2 }],
  settings: { FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING" } },
  there: {
    postgres: `create table a (id int primary key); create table b (id int primary key); create table held as select 1 as one;
      create function wait() returns trigger language plpgsql as
        $$ begin perform from {schema}.held for share; return new; end $$;
      create trigger gate before insert on a for each row execute function wait();
      alter table a enable always trigger gate`,
    mariadb: `create table a (id int primary key); create table b (id int primary key); create table held as select 1 as one;
      create trigger gate before insert on a for each row
        set @waited = (select one from held limit 1 lock in share mode)`,
  },
  query: "select (select count(*) from a) as a, (select count(*) from b) as b",
};

const WAITS = {
  postgres:
    "select 1 from pg_locks join pg_stat_activity using (pid) where not granted and datname = current_database()",
  mariadb: "select 1 from information_schema.innodb_trx where trx_state = 'LOCK WAIT'",
};

async function besideWaiting(run: SettingRun): Promise<void> {
  await run.holding("target", "update held set one = 2", async () => {
    await run.finds(WAITS);
    const rows = "select 'b comes while a waits' from b";
    const found = run.value === 1 ? await run.onTarget(rows) : await run.finds(rows);
    run.notes.push(...found.flat().map(String));
  });
}

const load: readonly SettingCase[] = [
  {
    path: "FullLoadSettings.TargetTablePrepMode",
    ...OLDER,
    endings: [
      ["DROP_AND_CREATE", [LOADED, "1 2", "2 2"]],
      ["TRUNCATE_BEFORE_LOAD", [LOADED, "1 3", "2 3"]],
      ["DO_NOTHING", [LOADED, "1 3", "2 3", "9 3"]],
    ],
  },
  {
    path: "FullLoadSettings.StopTaskCachedChangesApplied",
    changed: NEW_ROW,
    endings: [
      [true, ["STOPPED_AFTER_CACHED_EVENTS", "1 one", "2 two"]],
      [false, [CAUGHT_UP, "1 one", "2 two", "3 three"]],
    ],
  },
  {
    path: "FullLoadSettings.StopTaskCachedChangesNotApplied",
    changed: NEW_ROW,
    endings: [
      [true, ["STOPPED_AFTER_FULL_LOAD", "1 one", "2 two"]],
      [false, [CAUGHT_UP, "1 one", "2 two", "3 three"]],
    ],
  },
  {
    path: "FullLoadSettings.MaxFullLoadSubTasks",
    ...{ ...WAITING, during: besideWaiting },
    endings: [
      [1, [CAUGHT_UP, "1 1"]],
      [2, [CAUGHT_UP, "1 1", "b comes while a waits"]],
    ],
  },
];

const HISTORY = { ControlTablesSettings: { HistoryTableEnabled: true } };

const control: readonly SettingCase[] = [
  {
    path: "ControlTablesSettings.ControlSchema",
    query: "select state from {schema}_control.awsdms_table_state where task_name = '{task}'",
    endings: [
      ["", [LOADED]],
      ["{schema}_control", [LOADED, "ready"]],
    ],
  },
  {
    path: "ControlTablesSettings.HistoryTimeslotInMinutes",
    settings: HISTORY,
    query: "select distinct timeslot_duration from {control}.awsdms_history where task_name = '{task}'",
    endings: [
      [5, [LOADED, "5"]],
      [0, [LOADED, "1"]],
    ],
  },
  {
    path: "ControlTablesSettings.HistoryTableEnabled",
    changed: NEW_ROW,
    query: `select timeslot_type, timeslot_records from {control}.awsdms_history
      where task_name = '{task}' and timeslot_records > 0 order by timeslot`,
    endings: [
      [true, [CAUGHT_UP, "FULL LOAD 2", "CHANGE PROCESSING 1"]],
      [false, [CAUGHT_UP]],
    ],
  },
  {
    path: "ControlTablesSettings.StatusTableEnabled",
    changed: NEW_ROW,
    query: "select task_status, pending_changes from {control}.awsdms_status where task_name = '{task}'",
    endings: [
      [true, [CAUGHT_UP, "NOT RUNNING 0"]],
      [false, [CAUGHT_UP]],
    ],
  },
  {
    path: "ControlTablesSettings.FullLoadExceptionTableEnabled",
    there: "create table t (id int primary key, v varchar(3))",
    settings: { FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING" } },
    made: "create table t (id int primary key, v varchar(20)); insert into t values (1, 'fit'), (2, 'too long')",
    endings: [
      [true, [LOADED, "1 fit", "full_load_exceptions: insert", "logged"]],
      [false, [LOADED, "1 fit", "apply_exceptions: insert", "logged"]],
    ],
  },
];

/** Large enough to be cut, of few rows. */
const BLOATED = `create table t (id int primary key, v varchar(900)) with (fillfactor = 10);
  alter table t alter v set storage plain; insert into t select i, repeat('v', 850) from generate_series(1, 17500) i; analyze t`;

async function besideOpenTransaction(run: SettingRun): Promise<void> {
  await run.holding("source", "insert into t values (9, 'not yet')", async () => {
    await run.logged("waiting for a transaction of the source that writes to end");
    if (run.value === 1) await run.task.running.outcome;
  });
}

/** Unique columns that together are longer than a row of MariaDB may be; those of the table that is there are not. */
const WIDE = Array.from({ length: 30 }, (_, i) => `c${i} varchar(700)`);

const tideway: readonly SettingCase[] = [
  {
    path: "TidewaySettings.AssessmentPassOver",
    directions: [["postgres", "mariadb"]],
    made: `create table t (id int primary key, ${WIDE.map((column) => `${column} unique`).join(", ")}); insert into t values (1, 'one')`,
    there: `create table t (id int primary key, ${WIDE.map((column) => column.replace("700", "30")).join(", ")})`,
    settings: { FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING" } },
    query: "select id, c0 from t",
    endings: [
      [[], [LOADED, "t aside: convert.row_length"]],
      [["convert.row_length"], [LOADED, "1 one"]],
    ],
  },
  {
    path: "TidewaySettings.MigrateObjects",
    directions: [["postgres", "postgres"]],
    made: "create table t (id int primary key, v text); insert into t values (1, 'one'); create view w as select * from t",
    query: "select * from w",
    endings: [
      [true, [LOADED, "1 one"]],
      [false, [LOADED]],
    ],
  },
  {
    path: "TidewaySettings.MigrateLargeObjects",
    directions: [["postgres", "postgres"]],
    made: "create table t (id int primary key, v text); select lo_from_bytea(4711, 'large')",
    query: "select convert_from(lo_get(4711), 'UTF8')",
    endings: [
      [true, [LOADED, "large"]],
      [false, [LOADED]],
    ],
  },
  {
    path: "TidewaySettings.MigratePrivileges",
    directions: [["postgres", "postgres"]],
    made: "create table t (id int primary key, v text); create role reader_{schema}; grant select on t to reader_{schema}",
    there: "create role reader_{schema}",
    query: "select privilege_type from information_schema.table_privileges where grantee = 'reader_{schema}'",
    endings: [
      [true, [LOADED, "SELECT"]],
      [false, [LOADED]],
    ],
  },
  {
    path: "TidewaySettings.SharedReadLimitInMB",
    made: BLOATED,
    query: `select distinct range_kind, (select count(*) from t) from {control}.awsdms_load_state
      where task_name = '{task}' and table_name = 't'`,
    endings: [
      [16_384, [LOADED, "share 17500"]],
      [0, [LOADED, "key 17500"]],
    ],
  },
  {
    path: "TidewaySettings.StreamStartLimitSeconds",
    during: besideOpenTransaction,
    endings: [
      [3600, [CAUGHT_UP, "1 one", "2 two"]],
      [1, ["source.long_transaction"]],
    ],
  },
  {
    path: "TidewaySettings.ExceptionsWithValues",
    disturbed: "insert into t values (3, 'other')",
    changed: NEW_ROW,
    endings: [
      [true, [CAUGHT_UP, "1 one", "2 two", "3 other", "apply_exceptions: insert with id v", "logged"]],
      [false, [CAUGHT_UP, "1 one", "2 two", "3 other", "apply_exceptions: insert", "logged"]],
    ],
  },
];

export const loadSettingCases: readonly SettingCase[] = [
  ...metadata,
  ...cuts,
  ...load,
  ...control,
  ...tideway,
];
