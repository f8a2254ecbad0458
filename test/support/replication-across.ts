import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import type pg from "pg";
import type { StreamItem } from "../../src/core/change-batch.ts";
import type { EndpointConfig } from "../../src/core/engine.ts";
import type { Journal } from "../../src/core/journal.ts";
import type { MigrationPlan } from "../../src/core/plan.ts";
import type { Position } from "../../src/core/position.ts";
import type { ChangeStream } from "../../src/core/source.ts";
import type { AppliedCounts, Applier, ApplyMode } from "../../src/core/target.ts";
import { openApplier } from "../../src/engines/mysql/apply/applier.ts";
import { FLUSH_SQL } from "../../src/engines/mysql/apply/apply-durability.ts";
import { openJournal } from "../../src/engines/mysql/apply/journal.ts";
import { ValueCounts } from "../../src/engines/mysql/values/value-counts.ts";
import { describe as describeTables, listTables } from "../../src/engines/postgres/catalog/catalog.ts";
import { lsnCodec } from "../../src/engines/postgres/catalog/lsn.ts";
import { openChangeStream } from "../../src/engines/postgres/log/change-stream.ts";
import { createStream, currentPosition, dropStream } from "../../src/engines/postgres/log/slot.ts";
import { describeComparison } from "./compare.ts";
import { compareAcross } from "./compare-across.ts";
import { mysqlSide, postgresSide } from "./compare-side.ts";
import { endpointOf } from "./endpoint.ts";
import { type MysqlFlavour, type MysqlServer, startMysql } from "./mysql-server.ts";
import { type PostgresServer, startPostgres } from "./postgres-server.ts";
import { never } from "./replication.ts";
import { connectTo, planFor } from "./schema-plan.ts";

export interface AcrossOptions {
  readonly source: PostgresServer;
  readonly target: MysqlServer;
  readonly schema: string;
  /** In the target's dialect. */
  readonly targetSchema: string;
  readonly mode?: ApplyMode;
}

/** One stream of a new PostgreSQL database and one applier to a new MySQL database with tables of the same names. */
export class ReplicationAcross implements AsyncDisposable {
  readonly options: AcrossOptions;
  readonly from: string;
  readonly to: string;
  readonly target: EndpointConfig;
  readonly plan: MigrationPlan;
  /** Sums over all target commits so far, by the table's name. */
  readonly applied = new Map<string, AppliedCounts>();
  commits = 0;
  transactions = 0;
  durable: Position | undefined;
  mode: ApplyMode | undefined;
  stream!: ChangeStream;
  applier!: Applier;
  readonly #client: pg.Client;
  #pump: Promise<void> = Promise.resolve();
  #received: Position | undefined;
  #awaited: (() => void) | undefined;
  #failure: { readonly error: unknown } | undefined;

  private constructor(
    options: AcrossOptions,
    names: { readonly from: string; readonly to: string },
    parts: { readonly plan: MigrationPlan; readonly client: pg.Client },
  ) {
    this.options = options;
    this.mode = options.mode;
    this.from = names.from;
    this.to = names.to;
    this.target = options.target.endpoint();
    this.plan = parts.plan;
    this.#client = parts.client;
  }

  static async start(options: AcrossOptions): Promise<ReplicationAcross> {
    const from = await options.source.createDatabase("source");
    const to = await options.target.createDatabase("target");
    await options.source.query(options.schema, from);
    await options.target.query(options.targetSchema, to);
    const client = await connectTo(options.source, from);
    const plan = planFor(await describeTables(client, await listTables(client)), { schema: () => to });
    const replication = new ReplicationAcross(options, { from, to }, { plan, client });
    const position = await createStream(endpointOf(options.source, from), replication.streamRequest, never);
    await replication.#withJournal((journal) => journal.setAppliedPosition(position, never));
    await options.target.query(FLUSH_SQL);
    await replication.open();
    return replication;
  }

  get taskId(): string {
    return this.from;
  }

  private get streamRequest() {
    return { taskId: this.from, tables: this.plan.tables.map(({ source }) => source) };
  }

  /** Opens stream and applier from the journal's position, as a worker does after a crash. */
  async open(): Promise<void> {
    this.#failure = undefined;
    this.applier = await this.openApplier();
    const after = (await this.#withJournal((journal) => journal.appliedPosition(never)))!;
    const source = endpointOf(this.options.source, this.from);
    const request = { ...this.streamRequest, after, encodings: ["text"] as const };
    this.stream = await openChangeStream(this.#client, source, request, never);
    const { stream, applier } = this;
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

  openApplier(): Promise<Applier> {
    const { plan } = this;
    const request = { taskId: this.from, controlSchema: undefined, plan, positions: lsnCodec };
    return openApplier({ endpoint: this.target, replaced: new ValueCounts() }, request, never);
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
    while (this.#failure === undefined) await this.#progress();
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

  queryTarget(sql: string): ReturnType<MysqlServer["query"]> {
    return this.options.target.query(sql, this.to);
  }

  /** Inserts, updates, deletes and conflicts of a table. */
  counts(table: string): readonly number[] {
    const { inserts, updates, deletes, conflicts } = this.applied.get(`"public"."${table}"`)!;
    return [inserts, updates, deletes, conflicts];
  }

  /** Every row of every table of the source must be in the target, and no other. */
  async assertEqual(): Promise<void> {
    const comparison = await compareAcross({
      source: postgresSide(this.options.source, this.from),
      target: mysqlSide(this.options.target, this.to),
      targetName: ({ name }) => ({ schema: this.to, name }),
    });
    assert.ok(comparison.equal, describeComparison(comparison));
    assert.equal(comparison.tables, this.plan.tables.length);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    await dropStream(this.#client, { taskId: this.from }, never);
    await this.#client.end();
  }

  async #withJournal<Result>(use: (journal: Journal) => Promise<Result>): Promise<Result> {
    await using journal = await openJournal(
      this.target,
      { taskId: this.from, controlSchema: undefined },
      never,
    );
    return await use(journal);
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
          : (item.batch.transactions.findLast(({ commits }) => commits)?.position ?? this.#received);
      this.#awaited?.();
    }
  }

  #modes({ batch }: StreamItem & { kind: "changes" }): Uint8Array | undefined {
    if (this.mode === undefined) return undefined;
    return new Uint8Array(batch.transactions.length * batch.tables.length).fill(this.mode);
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

export type StartAcross = (
  schema: string,
  targetSchema: string,
  mode?: ApplyMode,
) => Promise<ReplicationAcross>;

/** Defines the same tests for MariaDB and for MySQL as targets; the servers run as long as the suite does. */
export function toBothFlavours(what: string, tests: (start: StartAcross) => void): void {
  for (const flavour of ["mariadb", "mysql"] as const satisfies readonly MysqlFlavour[]) {
    describe(`${what} from PostgreSQL to ${flavour}`, () => {
      let source: PostgresServer;
      let target: MysqlServer;
      before(async () => {
        [source, target] = await Promise.all([startPostgres(), startMysql({ flavour })]);
      });
      after(async () => {
        await Promise.all([source, target].map((server) => server?.[Symbol.asyncDispose]()));
      });
      tests((schema, targetSchema, mode) =>
        ReplicationAcross.start({
          source,
          target,
          schema,
          targetSchema,
          ...(mode === undefined ? {} : { mode }),
        }),
      );
    });
  }
}
