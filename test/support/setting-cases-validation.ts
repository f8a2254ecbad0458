import type { SettingCase } from "./setting-case.ts";
import type { SettingRun } from "./setting-run.ts";
import { areWholeCompared, validationOf } from "./task-validation.ts";

/* How tasks end with each value of the settings that say how tables are compared. */

const LOADED = "FULL_LOAD_ONLY_FINISHED";
const ENDED = "NORMAL";

const COMPARES = { ValidationSettings: { EnableValidation: true } };

const FOUND = {
  postgres: `select "FAILURE_TYPE", "DETAILS" from {control}.awsdms_validation_failures_v1 where "TASK_NAME" = '{task}'`,
  mariadb:
    "select FAILURE_TYPE, DETAILS from {control}.awsdms_validation_failures_v1 where TASK_NAME = '{task}'",
};

/** A row takes about half of it by itself. */
const DELAY_S = 20;

/** How long it takes until a row is missed that a change concerns. */
async function untilMissed(run: SettingRun): Promise<void> {
  await run.task.until(areWholeCompared);
  await run.onTarget("delete from t where id = 2");
  const changedMs = performance.now();
  await run.onSource("update t set v = 'changed' where id = 2");
  await run.task.until((progress) => validationOf(progress, "t")?.failed === 1);
  run.notes.push(performance.now() - changedMs < DELAY_S * 1000 ? "soon" : "later");
}

const PARTED = ["t", "u"]
  .map(
    (name) => `create table ${name} (id int primary key, v varchar(20)) partition by range (id);
      create table ${name}_all partition of ${name} default`,
  )
  .join("; ");

const READERS = `from pg_locks join pg_stat_activity using (pid)
  where not granted and mode = 'AccessShareLock' and datname = current_database()`;

/** Whether two tables are read at the same time, of which neither can be. */
async function besideUnreadable(run: SettingRun): Promise<void> {
  await run.task.until(areWholeCompared);
  const tables = ["t", "u"].map((name) => ({ schema: run.schema, name, validateOnly: true }) as const);
  await run.holding("target", "lock table t_all, u_all in access exclusive mode", async () => {
    run.task.running.reloadTables(tables);
    await run.finds(`select 1 ${READERS} having count(*) >= ${run.value}`);
    const [[readers]] = (await run.onTarget(`select count(*) ${READERS}`)) as [[string]];
    run.notes.push(`tables that are read at once: ${readers}`);
  });
  await run.task.until(areWholeCompared);
}

export const validationSettingCases: readonly SettingCase[] = [
  {
    path: "ValidationSettings.EnableValidation",
    settings: { FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING" } },
    there: "create table t (id int primary key, v varchar(20)); insert into t values (9, 'one too many')",
    query: FOUND,
    endings: [
      [true, [LOADED, "MISSING_SOURCE "]],
      [false, [LOADED]],
    ],
  },
  {
    path: "ValidationSettings.ValidationOnly",
    settings: { ...COMPARES, FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING" } },
    there: "create table t (id int primary key, v varchar(20))",
    endings: [
      [true, [LOADED]],
      [false, [LOADED, "1 one", "2 two"]],
    ],
  },
  {
    path: "ValidationSettings.SkipLobColumns",
    settings: { ...COMPARES, FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING" } },
    made: "create table t (id int primary key, v varchar(20), w text); insert into t values (1, 'one', 'long')",
    there: {
      postgres: `create table t (id int primary key, v varchar(20), w text);
        create function spoil() returns trigger language plpgsql as $$ begin new.w := 'other'; return new; end $$;
        create trigger spoil before insert on t for each row execute function spoil();
        alter table t enable always trigger spoil`,
      mariadb: `create table t (id int primary key, v varchar(20), w text);
        create trigger spoil before insert on t for each row set new.w = 'other'`,
    },
    query: FOUND,
    endings: [
      [true, [LOADED]],
      [false, [LOADED, "RECORD_DIFF w"]],
    ],
  },
  {
    path: "ValidationSettings.ThreadCount",
    directions: [["postgres", "postgres"]],
    settings: { ...COMPARES, FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING" } },
    made: "create table t (id int primary key, v varchar(20)); create table u (id int primary key, v varchar(20))",
    there: PARTED,
    during: besideUnreadable,
    query: FOUND,
    endings: [
      [1, [ENDED, "tables that are read at once: 1"]],
      [2, [ENDED, "tables that are read at once: 2"]],
    ],
  },
  {
    path: "ValidationSettings.ValidationQueryCdcDelaySeconds",
    settings: COMPARES,
    during: untilMissed,
    query: FOUND,
    endings: [
      [0, [ENDED, "MISSING_TARGET ", "apply_exceptions: update", "logged", "soon"]],
      [DELAY_S, [ENDED, "MISSING_TARGET ", "apply_exceptions: update", "logged", "later"]],
    ],
  },
];
