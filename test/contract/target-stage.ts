import assert from "node:assert/strict";
import { MigrationError, type TableOutcome } from "../../src/core/error.ts";
import type { Journal } from "../../src/core/journal.ts";
import type { MigrationPlan, TablePlan } from "../../src/core/plan.ts";
import type { Position } from "../../src/core/position.ts";
import type { Partition } from "../../src/core/source.ts";
import type {
  Applier,
  ApplyRequest,
  Loader,
  LoadRequest,
  PrepareMode,
  Target,
} from "../../src/core/target.ts";
import { compilePlan } from "../../src/mapping/plan.ts";
import { mappingsFromPatterns } from "../../src/mapping/selection.ts";
import { parseTableMappings } from "../../src/mapping/table-mappings.ts";
import { changeBatch, type NewTransaction } from "./change-rows.ts";
import {
  type DatabaseKind,
  describeTables,
  type RunningServer,
  type TestSchema,
  unaborted,
} from "./database-kind.ts";

export const TABLE = "create table t (id int primary key, v varchar(40), n decimal(10, 2) not null)";
const PARTITIONS: readonly Partition[] = ["0", "1", "2"].map((id) => {
  return { id, by: "whole", from: undefined, to: undefined, estimatedRows: 3 };
});

/** Positions that follow each other in a source's log. */
export async function somePositions(
  source: { currentPosition(signal: AbortSignal): Promise<Position> },
  schema: TestSchema,
  count: number,
): Promise<readonly Position[]> {
  const positions: Position[] = [];
  await schema.run("create table moves (id int)");
  for (let place = 0; place < count; place++) {
    await schema.run("insert into moves values (1)");
    positions.push(await source.currentPosition(unaborted));
  }
  return positions;
}

/** A plan for the table t of one schema to become that of another, and a journal that knows of it. */
export class TargetStage implements AsyncDisposable {
  readonly schema: TestSchema;
  readonly target: Target;
  readonly plan: MigrationPlan;
  readonly #from: TestSchema;
  readonly #kind: DatabaseKind;
  #isPlanned = false;

  private constructor(
    parts: Pick<TargetStage, "schema" | "target" | "plan"> & {
      readonly from: TestSchema;
      readonly kind: DatabaseKind;
    },
  ) {
    this.schema = parts.schema;
    this.target = parts.target;
    this.plan = parts.plan;
    this.#from = parts.from;
    this.#kind = parts.kind;
  }

  static async make(given: {
    readonly kind: DatabaseKind;
    readonly server: RunningServer;
    readonly made: string;
  }): Promise<TargetStage> {
    const { kind, server, made } = given;
    const from = await server.newSchema();
    const schema = await server.newSchema();
    await from.run(TABLE);
    if (made !== "") await schema.run(made);
    await using source = await kind.engine.openSource(from.endpoint, unaborted);
    const mappings = parseTableMappings(mappingsFromPatterns([`${from.name}.*`], []));
    const catalog = await describeTables(source, from.name);
    const { plan } = compilePlan({ catalog, mappings, targetSchema: schema.name });
    const target = await kind.engine.openTarget(schema.endpoint, unaborted);
    return new TargetStage({ kind, from, schema, target, plan });
  }

  get table(): TablePlan {
    return this.plan.tables[0]!;
  }

  /** A task of its own: control tables may be common to all. */
  get request() {
    return { taskId: `task_${this.schema.endpoint.database}`, controlSchema: undefined };
  }

  rows(): ReturnType<TestSchema["rows"]> {
    return this.schema.rows("select id, v, n from t order by id");
  }

  async prepare(mode: PrepareMode): Promise<{ readonly keepsRows: boolean }> {
    await this.target.prepareSchema({ plan: this.plan, replace: true }, unaborted);
    const requests = [{ migration: this.plan, plan: this.table, mode }];
    return unwrap((await this.target.prepareTables(requests, unaborted))[0]!);
  }

  openJournal(): Promise<Journal> {
    return this.target.openJournal(this.request, unaborted);
  }

  /** For one of the table's partitions. */
  async openLoader({
    partition = "0",
    ...screening
  }: Pick<LoadRequest, "screens"> & { readonly partition?: string } = {}): Promise<Loader> {
    if (!this.#isPlanned) await this.#planPartitions();
    const formats = unwrap((await this.target.bulkFormats([this.table], unaborted))[0]!);
    assert.ok(formats.includes("pg-copy-text"));
    const what = { plan: this.table, partition: PARTITIONS.find(({ id }) => id === partition)! };
    const request = { ...this.request, ...what, ...screening, format: "pg-copy-text" } as const;
    return await this.target.openLoader(request, unaborted);
  }

  /** Once: who opens a journal ends what an earlier attempt still loads. */
  async #planPartitions(): Promise<void> {
    await using journal = await this.openJournal();
    const table = { id: this.table.source.id, created: true, snapshot: undefined, partitions: PARTITIONS };
    await journal.planTables([table], unaborted);
    this.#isPlanned = true;
  }

  /** Keys of the rows that were passed over and recorded. */
  async exceptions(): Promise<readonly string[]> {
    const rows = await this.schema.rows(this.#kind.exceptionsSql(this.request.taskId));
    const keys = rows.map(([said]) => JSON.parse(said!.slice(said!.indexOf(" {"))).key.id as string);
    return keys.toSorted((a, b) => Number(a) - Number(b));
  }

  async loaded(): Promise<{ readonly done: boolean; readonly rows: number }> {
    await using journal = await this.openJournal();
    const { done, rows } = (await journal.tables(unaborted))[0]!.partitions[0]!;
    return { done, rows };
  }

  async positions(count: number): Promise<readonly Position[]> {
    await using source = await this.#kind.engine.openSource(this.#from.endpoint, unaborted);
    return await somePositions(source, this.#from, count);
  }

  apply(transactions: readonly NewTransaction[]): Promise<void> {
    return this.applyEach([transactions]);
  }

  applyEach(batches: readonly (readonly NewTransaction[])[]): Promise<void> {
    return this.withApplier({}, async ({ applier }) => {
      for (const batch of batches) await applier.apply(changeBatch(this.table.source, batch), undefined);
      await applier.flush();
    });
  }

  async withApplier(
    given: Partial<ApplyRequest>,
    work: (opened: { readonly applier: Applier; readonly journal: Journal }) => Promise<void>,
  ): Promise<void> {
    await using source = await this.#kind.engine.openSource(this.#from.endpoint, unaborted);
    const request = { ...this.request, plan: this.plan, positions: source.positions, ...given };
    // Makes the control tables, as a task does before anything else.
    await using journal = await this.openJournal();
    await using applier = await this.target.openApplier(request, unaborted);
    await work({ applier, journal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.target[Symbol.asyncDispose]();
  }
}

function unwrap<Value>(outcome: TableOutcome<Value>): Value {
  if (outcome instanceof MigrationError) throw outcome;
  return outcome;
}
