import { type Ending, FROM_BOTH, type SettingCase, type SettingStory } from "./setting-case.ts";
import type { SettingRun } from "./setting-run.ts";

/* How tasks end with each value of the settings of the section ErrorBehavior. */

const KEPT = { FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING" } };
const CAUGHT_UP = "NORMAL";

/** Two of three rows fit, and one change of three. */
const refusing: SettingStory = {
  made: "create table t (id int primary key, v varchar(20)); insert into t values (1, 'fit'), (2, 'fits'), (3, 'too long')",
  there: "create table t (id int primary key, v varchar(4))",
  settings: KEPT,
  changed: "insert into t values (4, 'fit'), (5, 'also long'); update t set v = 'much too long' where id = 1",
};

const passed = [
  ...["1 fit", "2 fits", "4 fit"],
  ...["apply_exceptions: insert", "apply_exceptions: insert", "apply_exceptions: update"],
];

const changing: SettingStory = {
  ...refusing,
  made: "create table t (id int primary key, v varchar(20)); insert into t values (1, 'fit')",
};

const passedChanges = ["1 fit", "4 fit", "apply_exceptions: insert", "apply_exceptions: update"];

function withErrors(errors: object, story: SettingStory = refusing): SettingStory {
  return { ...story, settings: { ...story.settings, ErrorBehavior: errors } };
}

const conflicts: readonly SettingCase[] = [
  {
    path: "ErrorBehavior.ApplyErrorDeletePolicy",
    directions: FROM_BOTH,
    ...{
      disturbed: "delete from t where id = 1",
      changed: "delete from t where id = 1; insert into t values (3, 'new')",
    },
    endings: [
      ["IGNORE_RECORD", [CAUGHT_UP, "2 two", "3 new", "apply_exceptions: delete"]],
      ["LOG_ERROR", [CAUGHT_UP, "2 two", "3 new", "apply_exceptions: delete", "logged"]],
      ["SUSPEND_TABLE", [CAUGHT_UP, "t aside: apply.row_missing", "2 two"]],
      ["STOP_TASK", ["apply.stopped_by_policy", "2 two"]],
    ],
  },
  {
    path: "ErrorBehavior.ApplyErrorInsertPolicy",
    directions: FROM_BOTH,
    ...{
      disturbed: "insert into t values (3, 'other')",
      changed: "insert into t values (3, 'new'), (4, 'new')",
    },
    endings: [
      ["IGNORE_RECORD", [CAUGHT_UP, "1 one", "2 two", "3 other", "4 new", "apply_exceptions: insert"]],
      ["LOG_ERROR", [CAUGHT_UP, "1 one", "2 two", "3 other", "4 new", "apply_exceptions: insert", "logged"]],
      ["SUSPEND_TABLE", [CAUGHT_UP, "t aside: apply.row_exists", "1 one", "2 two", "3 other"]],
      ["STOP_TASK", ["apply.stopped_by_policy", "1 one", "2 two", "3 other"]],
      ["INSERT_RECORD", [CAUGHT_UP, "1 one", "2 two", "3 new", "4 new"]],
    ],
  },
  {
    path: "ErrorBehavior.ApplyErrorUpdatePolicy",
    directions: FROM_BOTH,
    ...{ disturbed: "delete from t where id = 1", changed: "update t set v = 'new'" },
    endings: [
      ["IGNORE_RECORD", [CAUGHT_UP, "2 new", "apply_exceptions: update"]],
      ["LOG_ERROR", [CAUGHT_UP, "2 new", "apply_exceptions: update", "logged"]],
      ["SUSPEND_TABLE", [CAUGHT_UP, "t aside: apply.row_missing", "2 two"]],
      ["STOP_TASK", ["apply.stopped_by_policy", "2 two"]],
      ["UPDATE_RECORD", [CAUGHT_UP, "1 new", "2 new"]],
    ],
  },
];

/** Three changes of which none finds its row. */
const missing: SettingStory = {
  made: "create table t (id int primary key, v varchar(20)); insert into t select i, 'v' from generate_series(1, 4) i",
  ...{ disturbed: "delete from t where id < 4", changed: "update t set v = 'new'" },
};

const threeMissing = [4, 1, 1, 1].map((id) => (id === 4 ? "4 new" : "apply_exceptions: update"));

/** Refuses rows, as a server that is in difficulties, until the table closed is empty. */
const gate: SettingStory = {
  settings: KEPT,
  there: {
    postgres: `create table t (id int primary key, v varchar(20)); create table closed as select 1 as one;
      create function refuse() returns trigger language plpgsql as $$ begin
        if exists (select from {schema}.closed) then raise 'closed' using errcode = '40001'; end if; return new; end $$;
      create trigger gate before insert on t for each row execute function refuse();
      alter table t enable always trigger gate`,
    mariadb: `create table t (id int primary key, v varchar(20)); create table closed as select 1 as one;
      create trigger gate before insert on t for each row
        if exists (select 1 from closed) then signal sqlstate '40001' set mysql_errno = 1213; end if`,
  },
};

/** Opened after so many retries, if the task lives so long. */
function opened(times: number, errors: object = {}): SettingStory {
  const during = async (run: SettingRun): Promise<void> => {
    await run.retried(times);
    await run.onTarget("delete from closed");
  };
  return {
    ...gate,
    settings: { ...KEPT, ErrorBehavior: { RecoverableErrorInterval: 1, ...errors } },
    during,
  };
}

function after(...seconds: readonly number[]): Ending {
  return [CAUGHT_UP, "1 one", "2 two", ...seconds.map((s) => `again after ${s} s`)];
}

const retries: readonly SettingCase[] = [
  {
    path: "ErrorBehavior.RecoverableErrorCount",
    ...opened(1),
    endings: [
      [-1, after(1)],
      [0, ["task.retries_exhausted"]],
    ],
  },
  {
    path: "ErrorBehavior.RecoverableErrorInterval",
    ...opened(1),
    endings: [
      [1, after(1)],
      [2, after(2)],
    ],
  },
  {
    path: "ErrorBehavior.RecoverableErrorThrottling",
    ...opened(2),
    endings: [
      [true, after(1, 2)],
      [false, after(1, 1)],
    ],
  },
  {
    path: "ErrorBehavior.RecoverableErrorThrottlingMax",
    ...opened(2, { RecoverableErrorStopRetryAfterThrottlingMax: false }),
    endings: [
      [1800, after(1, 2)],
      [1, after(1, 1)],
    ],
  },
  {
    path: "ErrorBehavior.RecoverableErrorStopRetryAfterThrottlingMax",
    ...opened(2, { RecoverableErrorThrottlingMax: 1 }),
    endings: [
      [true, ["task.retries_exhausted", "again after 1 s"]],
      [false, after(1, 1)],
    ],
  },
];

const TRUNCATED: SettingStory = {
  ...{ changed: "truncate t; insert into t values (3, 'three')", directions: FROM_BOTH },
};

export const errorSettingCases: readonly SettingCase[] = [
  {
    path: "ErrorBehavior.DataErrorPolicy",
    ...refusing,
    endings: [
      ["LOG_ERROR", [CAUGHT_UP, ...passed, "logged"]],
      ["IGNORE_RECORD", [CAUGHT_UP, ...passed]],
      ["SUSPEND_TABLE", [CAUGHT_UP, "t aside: load.rejected"]],
      ["STOP_TASK", ["load.rejected"]],
    ],
  },
  {
    path: "ErrorBehavior.DataErrorPolicy",
    ...changing,
    endings: [
      ["LOG_ERROR", [CAUGHT_UP, ...passedChanges, "logged"]],
      ["IGNORE_RECORD", [CAUGHT_UP, ...passedChanges]],
      ["SUSPEND_TABLE", [CAUGHT_UP, "t aside: apply.rejected", "1 fit"]],
      ["STOP_TASK", ["apply.rejected", "1 fit"]],
    ],
  },
  {
    path: "ErrorBehavior.DataErrorEscalationCount",
    ...changing,
    endings: [
      [0, [CAUGHT_UP, ...passedChanges, "logged"]],
      [1, [CAUGHT_UP, "t aside: apply.too_many_errors", "1 fit"]],
    ],
  },
  {
    path: "ErrorBehavior.DataErrorEscalationPolicy",
    ...withErrors({ DataErrorEscalationCount: 1 }, changing),
    endings: [
      ["SUSPEND_TABLE", [CAUGHT_UP, "t aside: apply.too_many_errors", "1 fit"]],
      ["STOP_TASK", ["apply.stopped_by_policy", "1 fit"]],
    ],
  },
  {
    path: "ErrorBehavior.TableErrorPolicy",
    ...withErrors({ DataErrorPolicy: "SUSPEND_TABLE" }, changing),
    endings: [
      ["SUSPEND_TABLE", [CAUGHT_UP, "t aside: apply.rejected", "1 fit"]],
      ["STOP_TASK", ["apply.rejected", "t aside: apply.rejected", "1 fit"]],
    ],
  },
  {
    path: "ErrorBehavior.TableErrorEscalationCount",
    ...withErrors({ DataErrorPolicy: "SUSPEND_TABLE" }, changing),
    endings: [
      [0, [CAUGHT_UP, "t aside: apply.rejected", "1 fit"]],
      [1, ["apply.rejected", "t aside: apply.rejected", "1 fit"]],
    ],
  },
  ...retries,
  ...conflicts,
  {
    path: "ErrorBehavior.ApplyErrorEscalationCount",
    ...withErrors({ ApplyErrorEscalationPolicy: "SUSPEND_TABLE" }, missing),
    endings: [
      [0, [CAUGHT_UP, ...threeMissing, "logged"]],
      [3, [CAUGHT_UP, "t aside: apply.too_many_errors", "4 v"]],
    ],
  },
  {
    path: "ErrorBehavior.ApplyErrorEscalationPolicy",
    ...withErrors({ ApplyErrorEscalationCount: 2, ApplyErrorUpdatePolicy: "IGNORE_RECORD" }, missing),
    endings: [
      ["LOG_ERROR", [CAUGHT_UP, ...threeMissing, "logged"]],
      ["SUSPEND_TABLE", [CAUGHT_UP, "t aside: apply.too_many_errors", "4 v"]],
      ["STOP_TASK", ["apply.stopped_by_policy", "4 v"]],
    ],
  },
  {
    path: "ErrorBehavior.ApplyErrorFailOnTruncationDdl",
    ...TRUNCATED,
    endings: [
      [true, ["apply.truncated", "1 one", "2 two"]],
      [false, [CAUGHT_UP, "3 three"]],
    ],
  },
  {
    path: "ErrorBehavior.FailOnNoTablesCaptured",
    made: "select 1",
    endings: [
      [true, ["mapping.no_tables"]],
      [false, ["FULL_LOAD_ONLY_FINISHED"]],
    ],
  },
];
