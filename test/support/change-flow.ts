import type pg from "pg";
import type { ChangeBatch } from "../../src/core/change-batch.ts";
import type { Position } from "../../src/core/position.ts";
import type { ChangeStream } from "../../src/core/source.ts";
import type { AppliedCounts, Applier, ApplyMode, ApplyRequest } from "../../src/core/target.ts";
import { lsnCodec } from "../../src/engines/postgres/catalog/lsn.ts";
import { currentPosition } from "../../src/engines/postgres/log/slot.ts";
import type { PostgresServer } from "./postgres-server.ts";

export interface FlowParts {
  readonly server: PostgresServer;
  /** The database whose changes flow. */
  readonly from: string;
  /** A connection to it, for the flow alone. */
  readonly client: pg.Client;
  readonly mode: ApplyMode | undefined;
}

/** Changes of a PostgreSQL database on their way to an applier, and what stream and applier have told of them. */
export class ChangeFlow {
  readonly server: PostgresServer;
  readonly from: string;
  /** Sums over all target commits so far, by table key. */
  readonly applied = new Map<string, AppliedCounts>();
  commits = 0;
  transactions = 0;
  durable: Position | undefined;
  mode: ApplyMode | undefined;
  /** What the next applier does about errors of single rows. */
  onErrors: Pick<ApplyRequest, "isOfLoad" | "rowErrors" | "screens"> = {};
  stream!: ChangeStream;
  applier!: Applier;
  readonly client: pg.Client;
  #pump: Promise<void> = Promise.resolve();
  #received: Position | undefined;
  #awaited: (() => void) | undefined;
  #failure: { readonly error: unknown } | undefined;

  protected constructor({ server, from, client, mode }: FlowParts) {
    this.server = server;
    this.from = from;
    this.client = client;
    this.mode = mode;
  }

  /** Gives the applier what comes until the stream ends. */
  protected flow(stream: ChangeStream, applier: Applier): void {
    this.stream = stream;
    this.applier = applier;
    this.#failure = undefined;
    applier.onApplied = (progress) => {
      this.commits++;
      this.transactions += progress.committedAtMs.length;
      for (const [key, counts] of progress.tables) this.#add(key, counts);
      this.#awaited?.();
    };
    applier.onDurable = (position) => {
      this.durable = position;
      stream.confirm(position);
    };
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
    const goal = await currentPosition(this.client);
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
    while (this.#failure === undefined) await this.#progress();
    return this.#failure.error;
  }

  query(sql: string): ReturnType<PostgresServer["query"]> {
    return this.server.query(sql, this.from);
  }

  /** Runs statements in one transaction, which makes them one group, and waits until they are applied. */
  async write(sql: string): Promise<void> {
    await this.query(`begin; ${sql}; commit`);
    await this.caughtUp();
  }

  /** Inserts, updates, deletes and conflicts of a table in the schema public. */
  counts(table: string): readonly number[] {
    const { inserts, updates, deletes, conflicts } = this.applied.get(`"public"."${table}"`)!;
    return [inserts, updates, deletes, conflicts];
  }

  /** Resolves when anything was received or applied, or has failed. */
  #progress(): Promise<void> {
    return new Promise((resolve) => {
      this.#awaited = resolve;
    });
  }

  async #run(stream: ChangeStream, applier: Applier): Promise<void> {
    for await (const item of stream) {
      if (item.kind === "changes") await applier.apply(item.batch, this.#modes(item.batch));
      this.#received =
        item.kind === "heartbeat"
          ? item.position
          : (item.batch.transactions.findLast(({ commits }) => commits)?.position ?? this.#received);
      this.#awaited?.();
    }
  }

  #modes({ transactions, tables }: ChangeBatch): Uint8Array | undefined {
    if (this.mode === undefined) return undefined;
    return new Uint8Array(transactions.length * tables.length).fill(this.mode);
  }

  #add(key: string, counts: AppliedCounts): void {
    const sum = this.applied.get(key) ?? {
      inserts: 0,
      updates: 0,
      deletes: 0,
      truncates: 0,
      conflicts: 0,
      refused: 0,
      logged: 0,
    };
    for (const name of Object.keys(sum) as (keyof AppliedCounts)[]) sum[name] += counts[name];
    this.applied.set(key, sum);
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#awaited?.();
  }
}
