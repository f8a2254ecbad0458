import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import type pg from "pg";
import type { EndpointConfig } from "../../src/core/engine.ts";
import type { Journal } from "../../src/core/journal.ts";
import type { MigrationPlan } from "../../src/core/plan.ts";
import type { Applier, ApplyMode } from "../../src/core/target.ts";
import { openApplier } from "../../src/engines/mysql/apply/applier.ts";
import { FLUSH_SQL } from "../../src/engines/mysql/apply/apply-durability.ts";
import { openJournal } from "../../src/engines/mysql/apply/journal.ts";
import { ValueCounts } from "../../src/engines/mysql/values/value-counts.ts";
import { describe as describeTables, listTables } from "../../src/engines/postgres/catalog/catalog.ts";
import { lsnCodec } from "../../src/engines/postgres/catalog/lsn.ts";
import { openChangeStream } from "../../src/engines/postgres/log/change-stream.ts";
import { createStream, dropStream } from "../../src/engines/postgres/log/slot.ts";
import { ChangeFlow } from "./change-flow.ts";
import { describeComparison } from "./compare.ts";
import { compareAcross } from "./compare-across.ts";
import { mysqlSide, postgresSide } from "./compare-side.ts";
import { endpointOf } from "./endpoint.ts";
import { type MysqlFlavour, type MysqlServer, startMysql } from "./mysql-server.ts";
import { type PostgresServer, startPostgres } from "./postgres-server.ts";
import { never } from "./replication.ts";
import { connectTo, planFor } from "./schema-plan.ts";

/** What a replication does otherwise than usual. */
export interface AcrossWays {
  readonly mode?: ApplyMode;
  /** Of the target's endpoint. */
  readonly settings?: EndpointConfig["settings"];
}

export interface AcrossOptions extends AcrossWays {
  readonly source: PostgresServer;
  readonly target: MysqlServer;
  readonly schema: string;
  /** In the target's dialect. */
  readonly targetSchema: string;
}

/** One stream of a new PostgreSQL database and one applier to a new MySQL database with tables of the same names. */
export class ReplicationAcross extends ChangeFlow implements AsyncDisposable {
  readonly options: AcrossOptions;
  readonly to: string;
  readonly target: EndpointConfig;
  readonly plan: MigrationPlan;
  /** Values that have come as others. */
  readonly replaced = new ValueCounts();

  private constructor(
    options: AcrossOptions,
    { from, to }: { readonly from: string; readonly to: string },
    parts: { readonly plan: MigrationPlan; readonly client: pg.Client },
  ) {
    super({ server: options.source, from, client: parts.client, mode: options.mode });
    this.options = options;
    this.to = to;
    this.target = { ...options.target.endpoint(), settings: options.settings ?? {} };
    this.plan = parts.plan;
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
    const applier = await this.openApplier();
    const after = (await this.#withJournal((journal) => journal.appliedPosition(never)))!;
    const source = endpointOf(this.options.source, this.from);
    const request = { ...this.streamRequest, after, encodings: ["text"] as const };
    this.flow(await openChangeStream(this.client, source, request, never), applier);
  }

  openApplier(): Promise<Applier> {
    const { plan, replaced } = this;
    const request = {
      ...{ taskId: this.from, controlSchema: undefined, plan, positions: lsnCodec },
      ...this.onErrors,
    };
    return openApplier({ endpoint: this.target, replaced }, request, never);
  }

  queryTarget(sql: string): ReturnType<MysqlServer["query"]> {
    return this.options.target.query(sql, this.to);
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
    await dropStream(this.client, { taskId: this.from }, never);
    await this.client.end();
  }

  async #withJournal<Result>(use: (journal: Journal) => Promise<Result>): Promise<Result> {
    await using journal = await openJournal(
      this.target,
      { taskId: this.from, controlSchema: undefined },
      never,
    );
    return await use(journal);
  }
}

export type StartAcross = (
  schema: string,
  targetSchema: string,
  ways?: AcrossWays,
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
      tests((schema, targetSchema, ways) =>
        ReplicationAcross.start({ source, target, schema, targetSchema, ...ways }),
      );
    });
  }
}
