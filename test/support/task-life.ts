import assert from "node:assert/strict";
import type { Failpoint } from "../../src/base/failpoint.ts";
import type { TaskOutcome, TaskSpec } from "../../src/task/task.ts";
import { assertEqualDatabases } from "./assert-equal.ts";
import { endpointOf } from "./endpoint.ts";
import { KillWorkload } from "./kill-schema.ts";
import type { Arming } from "./killable.ts";
import { armingOf, type PlannedKill } from "./kills.ts";
import type { ServerPair } from "./server-pair.ts";
import { schemas, TaskProcess, taskSpec } from "./task.ts";

export interface LifeOptions {
  readonly type: TaskSpec["type"];
  /** Run on the source before the task. */
  readonly schema: string;
  /** Run on the target before the task. */
  readonly target?: string;
  readonly settings?: object;
}

/** How one process of the task is run. */
export interface Run {
  /** resume-processing when it is left out. */
  readonly start?: TaskSpec["start"];
  /** The same start as the runs before when it is left out. */
  readonly startId?: string;
  /** Whether it ends by itself when it has caught up; true when it is left out. */
  readonly untilCaughtUp?: boolean;
  /** Gives the process orders. */
  readonly steer?: (task: TaskProcess) => void;
}

/** One task that is killed again and again and goes on each time, with the databases that it works on. */
export class TaskLife {
  readonly from: string;
  readonly to: string;
  readonly spec: TaskSpec;
  readonly #servers: ServerPair;
  readonly #killedAt: Failpoint[] = [];

  private constructor(servers: ServerPair, spec: TaskSpec) {
    this.#servers = servers;
    this.spec = spec;
    this.from = spec.source.database;
    this.to = spec.target.database;
  }

  static async begin(
    servers: ServerPair,
    { type, schema, target, settings }: LifeOptions,
  ): Promise<TaskLife> {
    const from = await servers.source.createDatabase("life");
    const to = await servers.target.createDatabase("life");
    await servers.source.query(schema, from);
    if (target !== undefined) await servers.target.query(target, to);
    const spec = taskSpec({
      type,
      source: endpointOf(servers.source, from),
      target: endpointOf(servers.target, to),
      tableMappings: schemas("app"),
      startId: "first",
      ...(settings === undefined ? {} : { settings: JSON.stringify(settings) }),
    });
    return new TaskLife(servers, spec);
  }

  /** Where it has been killed so far, for messages. */
  get history(): string {
    return `killed at ${this.#killedAt.join(", ")}`;
  }

  write(note: string): Promise<KillWorkload> {
    return KillWorkload.start(this.#servers.source, this.from, note);
  }

  /** Runs the task until it is killed there; fails when it ends in another way. */
  async kill(kill: PlannedKill, run: Run = {}): Promise<void> {
    const { failpoint } = kill;
    const task = this.#process(run, armingOf(kill));
    run.steer?.(task);
    const { signal, outcome } = await task.ended();
    const how = `${this.history}; then not at ${failpoint}: ${JSON.stringify(outcome?.error ?? outcome?.stopReason)}`;
    assert.equal(signal, "SIGKILL", how);
    this.#killedAt.push(failpoint);
  }

  /** Runs the task to its end; no table may be set aside. */
  async finish(run: Run = {}): Promise<TaskOutcome> {
    const task = this.#process(run);
    run.steer?.(task);
    const { outcome } = await task.ended();
    assert.equal(outcome?.state, "stopped", `${this.history}: ${JSON.stringify(outcome?.error)}`);
    const aside = outcome.progress.tables.filter(({ error }) => error !== undefined);
    const reasons = aside.map(({ id, error }) => `${id.name}: ${error!.code} ${error!.message}`);
    assert.deepEqual(reasons, [], this.history);
    return outcome;
  }

  /** Every row and every definition is on both sides, and no change found another row than on the source. */
  async assertEqual(): Promise<void> {
    const { source, target } = this.#servers;
    const { from, to } = this;
    try {
      await assertEqualDatabases({ source, from, target, to, schemas: ["app"] });
      const conflicts = await target.query(
        `select "TABLE_NAME", "ERROR", count(*)::int from awsdms_apply_exceptions group by 1, 2`,
        to,
      );
      assert.deepEqual(conflicts, []);
    } catch (error) {
      throw new Error(`${this.history}: ${(error as Error).message}`, { cause: error });
    }
  }

  /** Removes what the task has left on both sides; with a kill it is killed there. */
  async remove(kill?: PlannedKill): Promise<void> {
    const arming = kill === undefined ? undefined : armingOf(kill);
    const ended = await new TaskProcess({ cleanUp: this.spec }, arming).ended();
    if (kill === undefined) assert.equal(ended.code, 0);
    else assert.equal(ended.signal, "SIGKILL", `not killed at ${kill.failpoint}`);
  }

  /** What the task has on either side that is not a table of the application's. */
  async traces(): Promise<string[]> {
    const { source, target } = this.#servers;
    const streams = await source.query(
      `select slot_name::text as name from pg_replication_slots where database = current_database()
       union all select pubname from pg_publication`,
      this.from,
    );
    const records = await target.query(
      `select 'table state' as name from awsdms_table_state union all select 'load state' from awsdms_load_state
       union all select 'position' from awsdms_txn_state union all select 'exceptions' from awsdms_apply_exceptions
       union all select 'suspended' from awsdms_suspended_tables`,
      this.to,
    );
    return [...streams, ...records].map(({ name }) => name);
  }

  #process(run: Run, arming?: Arming): TaskProcess {
    const { start = "resume-processing", untilCaughtUp = true, startId = this.spec.startId } = run;
    const ends = untilCaughtUp && this.spec.type !== "full-load";
    return new TaskProcess({ ...this.spec, start, startId, untilCaughtUp: ends }, arming);
  }
}
