import assert from "node:assert/strict";
import type pg from "pg";
import type { StreamItem } from "../../src/core/change-batch.ts";
import type { EndpointConfig } from "../../src/core/engine.ts";
import type { Journal } from "../../src/core/journal.ts";
import type { MigrationPlan } from "../../src/core/plan.ts";
import type { Position } from "../../src/core/position.ts";
import type { ChangeStream } from "../../src/core/source.ts";
import type { AppliedCounts, Applier, ApplyMode } from "../../src/core/target.ts";
import { openApplier } from "../../src/engines/postgres/apply/applier.ts";
import { openJournal } from "../../src/engines/postgres/apply/journal.ts";
import { describe, listTables } from "../../src/engines/postgres/catalog/catalog.ts";
import { lsnCodec } from "../../src/engines/postgres/catalog/lsn.ts";
import { openChangeStream } from "../../src/engines/postgres/log/change-stream.ts";
import { createStream, currentPosition, dropStream } from "../../src/engines/postgres/log/slot.ts";
import { compareDatabases, describeComparison } from "./compare.ts";
import { endpointOf } from "./endpoint.ts";
import type { PostgresServer } from "./postgres-server.ts";
import { connectTo, planFor, type Renaming } from "./schema-plan.ts";

export const never: AbortSignal = new AbortController().signal;

export interface ReplicationOptions {
  readonly source: PostgresServer;
  readonly target: PostgresServer;
  /** Run on both sides before the stream starts. */
  readonly schema: string;
  /** Run on the target only, for tables that differ. */
  readonly targetSchema?: string;
  readonly renaming?: Renaming;
  /** Seen before the applier; may replace it. */
  readonly mode?: ApplyMode;
}

/** One stream and one applier between two new databases of the same structure. */
export class Replication implements AsyncDisposable {
  readonly options: ReplicationOptions;
  readonly from: string;
  readonly to: string;
  readonly source: EndpointConfig;
  /** Where the applier connects; open() uses what was set last. */
  target: EndpointConfig;
  readonly taskId: string;
  readonly plan: MigrationPlan;
  readonly journal: Journal;
  /** Sums over all target commits so far, by table key. */
  readonly applied = new Map<string, AppliedCounts>();
  commits = 0;
  transactions = 0;
  stream!: ChangeStream;
  applier!: Applier;
  mode: ApplyMode | undefined;
  #client: pg.Client;
  #pump: Promise<void> = Promise.resolve();
  #received: Position | undefined;
  #awaited: (() => void) | undefined;
  #failure: { readonly error: unknown } | undefined;

  private constructor(
    options: ReplicationOptions,
    names: { readonly from: string; readonly to: string },
    parts: { readonly plan: MigrationPlan; readonly journal: Journal; readonly client: pg.Client },
  ) {
    this.options = options;
    this.mode = options.mode;
    this.from = names.from;
    this.to = names.to;
    this.taskId = names.from;
    this.source = endpointOf(options.source, names.from);
    this.target = endpointOf(options.target, names.to);
    this.plan = parts.plan;
    this.journal = parts.journal;
    this.#client = parts.client;
  }

  static async start(options: ReplicationOptions): Promise<Replication> {
    const from = await options.source.createDatabase("source");
    const to = await options.target.createDatabase("target");
    await options.source.query(options.schema, from);
    await options.target.query(options.targetSchema ?? options.schema, to);
    const client = await connectTo(options.source, from);
    const plan = planFor(await describe(client, await listTables(client)), options.renaming);
    const journal = await openJournal(
      endpointOf(options.target, to),
      { taskId: from, controlSchema: undefined },
      never,
    );
    const replication = new Replication(options, { from, to }, { plan, journal, client });
    const tables = plan.tables.map((table) => table.source);
    const position = await createStream(replication.source, { taskId: from, tables }, never);
    await journal.setAppliedPosition(position, never);
    await replication.open();
    return replication;
  }

  /** Opens stream and applier from the journal's position, as a worker does after a crash. */
  async open(): Promise<void> {
    const { taskId } = this;
    this.#failure = undefined;
    this.applier = await openApplier(
      this.target,
      { taskId, controlSchema: undefined, plan: this.plan },
      never,
    );
    const after = (await this.journal.appliedPosition(never))!;
    const tables = this.plan.tables.map((table) => table.source);
    this.stream = await openChangeStream(this.#client, this.source, { taskId, tables, after }, never);
    const { stream, applier } = this;
    applier.onApplied = (progress) => {
      this.commits++;
      this.transactions += progress.committedAtMs.length;
      for (const [key, counts] of progress.tables) this.#add(key, counts);
      this.#awaited?.();
    };
    applier.onDurable = (position) => stream.confirm(position);
    applier.onFailure = (error) => this.#fail(error);
    this.#pump = this.#run(stream, applier).catch((error: unknown) => this.#fail(error));
  }

  /** Ends stream and applier whatever they are at. */
  async close(): Promise<void> {
    await this.stream[Symbol.asyncDispose]();
    await this.applier[Symbol.asyncDispose]();
    await this.#pump;
  }

  /** Resolves when everything committed on the source before the call is durable on the target. */
  async caughtUp(): Promise<void> {
    const goal = await currentPosition(this.#client);
    const probe = setInterval(() => this.stream.probe(), 20);
    try {
      while (this.#received === undefined || lsnCodec.compare(this.#received, goal) === -1) {
        if (this.#failure !== undefined) throw this.#failure.error;
        await this.#progress();
      }
    } finally {
      clearInterval(probe);
    }
    await this.applier.flush();
  }

  /** Resolves when the applier has told of so many commits. */
  async committed(commits: number): Promise<void> {
    while (this.commits < commits) {
      if (this.#failure !== undefined) throw this.#failure.error;
      await this.#progress();
    }
  }

  /** The first failure of stream or applier. */
  async failure(): Promise<unknown> {
    while (this.#failure === undefined) {
      await this.#progress();
    }
    return this.#failure.error;
  }

  query(sql: string): ReturnType<PostgresServer["query"]> {
    return this.options.source.query(sql, this.from);
  }

  /** Runs statements in one transaction, which makes them one group, and waits until they are applied. */
  async write(sql: string): Promise<void> {
    await this.query(`begin; ${sql}; commit`);
    await this.caughtUp();
  }

  queryTarget(sql: string): ReturnType<PostgresServer["query"]> {
    return this.options.target.query(sql, this.to);
  }

  /** Every row of every table of the source must be in the target, and no other. */
  async assertEqual(): Promise<void> {
    const source = await this.options.source.connect(this.from);
    const target = await this.options.target.connect(this.to);
    try {
      const comparison = await compareDatabases({ source, target });
      assert.ok(comparison.equal, describeComparison(comparison));
    } finally {
      await Promise.all([source.end(), target.end()]);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    await this.journal[Symbol.asyncDispose]();
    await dropStream(this.#client, { taskId: this.taskId }, never);
    await this.#client.end();
  }

  /** Resolves when anything was received or applied, or has failed. */
  #progress(): Promise<void> {
    return new Promise((resolve) => {
      this.#awaited = resolve;
    });
  }

  async #run(stream: ChangeStream, applier: Applier): Promise<void> {
    for await (const item of stream) {
      if (item.kind === "changes") await applier.apply(item.batch, this.#modes(item));
      this.#received =
        item.kind === "heartbeat"
          ? item.position
          : (item.batch.transactions.findLast((transaction) => transaction.commits)?.position ??
            this.#received);
      this.#awaited?.();
    }
  }

  #modes(item: StreamItem & { kind: "changes" }): Uint8Array | undefined {
    const { mode } = this;
    if (mode === undefined) return undefined;
    return new Uint8Array(item.batch.transactions.length * item.batch.tables.length).fill(mode);
  }

  #add(key: string, counts: AppliedCounts): void {
    const sum = this.applied.get(key) ?? { inserts: 0, updates: 0, deletes: 0, truncates: 0, conflicts: 0 };
    for (const name of Object.keys(sum) as (keyof AppliedCounts)[]) sum[name] += counts[name];
    this.applied.set(key, sum);
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#awaited?.();
  }
}
