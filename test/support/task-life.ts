import assert from "node:assert/strict";
import type { TaskSpec } from "../../src/task/task.ts";
import { assertEqualDatabases } from "./assert-equal.ts";
import { endpointOf } from "./endpoint.ts";
import { KillWorkload } from "./kill-schema.ts";
import { KilledTask } from "./killed-task.ts";
import { armingOf, type PlannedKill } from "./kills.ts";
import type { ServerPair } from "./server-pair.ts";
import { schemas, TaskProcess, taskSpec } from "./task.ts";
import { assertNoConflicts } from "./task-pair.ts";

export interface LifeOptions {
  readonly type: TaskSpec["type"];
  /** Run on the source before the task. */
  readonly schema: string;
  /** Run on the target before the task. */
  readonly target?: string;
  readonly settings?: object;
  /** All of the schema app when it is left out. */
  readonly tableMappings?: string;
}

/** A task that is killed, with the PostgreSQL databases that it works on. */
export class TaskLife extends KilledTask {
  readonly from: string;
  readonly to: string;
  readonly #servers: ServerPair;

  private constructor(servers: ServerPair, spec: TaskSpec) {
    super(spec);
    this.#servers = servers;
    this.from = spec.source.database;
    this.to = spec.target.database;
  }

  static async begin(
    servers: ServerPair,
    { type, schema, target, settings, tableMappings = schemas("app") }: LifeOptions,
  ): Promise<TaskLife> {
    const from = await servers.source.createDatabase("life");
    const to = await servers.target.createDatabase("life");
    await servers.source.query(schema, from);
    if (target !== undefined) await servers.target.query(target, to);
    const spec = taskSpec({
      type,
      source: endpointOf(servers.source, from),
      target: endpointOf(servers.target, to),
      tableMappings,
      startId: "first",
      ...(settings === undefined ? {} : { settings: JSON.stringify(settings) }),
    });
    return new TaskLife(servers, spec);
  }

  write(note: string): Promise<KillWorkload> {
    return KillWorkload.start(this.#servers.source, this.from, note);
  }

  /** Every row and every definition is on both sides, and no change found another row than on the source. */
  async assertEqual(): Promise<void> {
    const { source, target } = this.#servers;
    const { from, to } = this;
    await this.telling(async () => {
      await assertEqualDatabases({ source, from, target, to, schemas: ["app"] });
      await assertNoConflicts(target, to);
    });
  }

  /** What a query gives on the source, and another on the target, is the same: rows in any order, but all of them. */
  async assertSame(onSource: string, onTarget: string): Promise<void> {
    const { source, target } = this.#servers;
    const all = (query: string): string =>
      `select count(*)::int as rows, md5(string_agg(q::text, ';' order by q::text collate "C")) as sum from (${query}) q`;
    const [[wanted], [found]] = await Promise.all([
      source.query(all(onSource), this.from),
      target.query(all(onTarget), this.to),
    ]);
    await this.telling(async () => assert.deepEqual(found, wanted, onTarget));
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
}
