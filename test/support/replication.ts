import assert from "node:assert/strict";
import type pg from "pg";
import type { EndpointConfig } from "../../src/core/engine.ts";
import type { Journal } from "../../src/core/journal.ts";
import type { MigrationPlan } from "../../src/core/plan.ts";
import type { ApplyMode } from "../../src/core/target.ts";
import { openApplier } from "../../src/engines/postgres/apply/applier.ts";
import { openJournal } from "../../src/engines/postgres/apply/journal.ts";
import { describe, listTables } from "../../src/engines/postgres/catalog/catalog.ts";
import { openChangeStream } from "../../src/engines/postgres/log/change-stream.ts";
import { createStream, dropStream } from "../../src/engines/postgres/log/slot.ts";
import { ChangeFlow } from "./change-flow.ts";
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
  /** Of the target's database; its server's when left out. */
  readonly targetEncoding?: string;
  /** Seen before the applier; may replace it. */
  readonly mode?: ApplyMode;
}

/** One stream and one applier between two new databases of the same structure. */
export class Replication extends ChangeFlow implements AsyncDisposable {
  readonly options: ReplicationOptions;
  readonly to: string;
  readonly source: EndpointConfig;
  /** Where the applier connects; open() uses what was set last. */
  target: EndpointConfig;
  readonly taskId: string;
  readonly plan: MigrationPlan;
  readonly journal: Journal;

  private constructor(
    options: ReplicationOptions,
    { from, to }: { readonly from: string; readonly to: string },
    parts: { readonly plan: MigrationPlan; readonly journal: Journal; readonly client: pg.Client },
  ) {
    super({ server: options.source, from, client: parts.client, mode: options.mode });
    this.options = options;
    this.to = to;
    this.taskId = from;
    this.source = endpointOf(options.source, from);
    this.target = endpointOf(options.target, to);
    this.plan = parts.plan;
    this.journal = parts.journal;
  }

  static async start(options: ReplicationOptions): Promise<Replication> {
    const from = await options.source.createDatabase("source");
    const to = await options.target.createDatabase("target", options.targetEncoding);
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
    const { taskId, plan } = this;
    const request = { taskId, controlSchema: undefined, plan, ...this.onErrors };
    const applier = await openApplier(this.target, request, never);
    const after = (await this.journal.appliedPosition(never))!;
    const tables = plan.tables.map((table) => table.source);
    this.flow(await openChangeStream(this.client, this.source, { taskId, tables, after }, never), applier);
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
    await dropStream(this.client, { taskId: this.taskId }, never);
    await this.client.end();
  }
}
