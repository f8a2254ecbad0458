import type { ChangeEncoding } from "../../core/change-batch.ts";
import type { EndpointConfig } from "../../core/engine.ts";
import { MigrationError, type TableOutcome } from "../../core/error.ts";
import type { Finding } from "../../core/finding.ts";
import type { Journal, JournalRequest, WatchedJournal } from "../../core/journal.ts";
import type { LockWait } from "../../core/lock-wait.ts";
import type { WriterWatch } from "../../core/other-writer.ts";
import type { MigrationPlan, TablePlan } from "../../core/plan.ts";
import type { PostLoadStep } from "../../core/post-load-step.ts";
import type { RightsId } from "../../core/rights.ts";
import type { BulkFormat } from "../../core/row-chunk.ts";
import type { RowRepair } from "../../core/row-repair.ts";
import type { SequenceState, TableId } from "../../core/schema.ts";
import type { ServerMark } from "../../core/server-mark.ts";
import type { ServerProbe } from "../../core/server-probe.ts";
import type { AlteredTable, AlterTables } from "../../core/table-alteration.ts";
import type {
  Applier,
  ApplyRequest,
  ColumnAddition,
  ConvertedPlan,
  Loader,
  LoadRequest,
  MakeObjects,
  ObjectOutcome,
  PreparedTable,
  PrepareRequest,
  SchemaRequest,
  Target,
  TargetAssessment,
  WriteLargeObjects,
} from "../../core/target.ts";
import { readCheckpoint } from "../shared/apply/checkpoint.ts";
import { watchJournal } from "../shared/apply/watch-journal.ts";
import type { ClientPool } from "../shared/connection/client-pool.ts";
import { finding } from "../shared/finding.ts";
import { notedLoader } from "../shared/load/noted-loader.ts";
import { ownWrites } from "../shared/writers/own-writes.ts";
import { ServerWriters } from "../shared/writers/server-writers.ts";
import { addColumns, type EarlierValues } from "./alter/add-columns.ts";
import { alterTables, dropTables } from "./alter/alter-tables.ts";
import { openJournal } from "./apply/journal.ts";
import { mysqlJournalSql, notedStart, saveNoteSql } from "./apply/journal-sql.ts";
import { assessTarget } from "./assess/assess-target.ts";
import { probe } from "./assess/probe.ts";
import { overwritten } from "./assess/server-mark.ts";
import { setCounters } from "./catalog/counters.ts";
import { lockWaits } from "./catalog/lock-waits.ts";
import type { Client } from "./connection/client.ts";
import { clientPool } from "./connection/client-pool.ts";
import type { ServerFacts } from "./connection/server-facts.ts";
import { convertPlan } from "./convert/convert.ts";
import { buildSteps } from "./load/build-steps.ts";
import { loadableTables } from "./load/bulk-format.ts";
import { LoaderPool } from "./load/load-sessions.ts";
import { postLoadSteps } from "./load/post-load.ts";
import { emptyTable, existingTables, prepareSchema, prepareTables } from "./load/prepare.ts";
import { type OutOfRange, outOfRangeOf, outOfRangeText } from "./values/out-of-range.ts";
import { ValueCounts } from "./values/value-counts.ts";
import { MysqlWriters } from "./writers/mysql-writers.ts";

const CHANGE_ENCODINGS: readonly ChangeEncoding[] = ["text"];

/** A MySQL or MariaDB server as target: gives each call a connection. */
export class MysqlTarget implements Target {
  readonly onlySchema: string | undefined;
  readonly changeEncodings = CHANGE_ENCODINGS;
  readonly #endpoint: EndpointConfig;
  readonly #clients: ClientPool<Client>;
  readonly #builders: ClientPool<Client>;
  readonly #loaders: LoaderPool;
  readonly #choices: OutOfRange;
  readonly #replaced = new ValueCounts();
  readonly #earlier: EarlierValues;
  #facts: ServerFacts | undefined;

  constructor(endpoint: EndpointConfig) {
    this.#endpoint = endpoint;
    this.onlySchema = onlySchema(endpoint);
    this.#clients = clientPool(endpoint, { side: "target", purpose: "tideway target" });
    this.#builders = clientPool(endpoint, { side: "target", purpose: "tideway build" });
    this.#loaders = new LoaderPool(endpoint, this.#replaced);
    this.#choices = outOfRangeOf(endpoint);
    this.#earlier = { choices: this.#choices, replaced: this.#replaced };
  }

  /** Throws what stands in the way of connecting; learns what the server is, which convert() needs to know. */
  async check(signal: AbortSignal): Promise<void> {
    this.#facts = await this.#clients.use(signal, async ({ facts }) => facts);
  }

  convert(plan: MigrationPlan): ConvertedPlan {
    if (this.#facts !== undefined) return convertPlan(plan, this.#facts, this.#choices);
    throw new MigrationError("internal.unexpected", {
      message: "The target was not checked before a plan was converted.",
    });
  }

  assess(request: TargetAssessment, signal: AbortSignal): Promise<readonly Finding[]> {
    return this.#clients.use(signal, (client) => assessTarget(client, request));
  }

  probe(signal: AbortSignal): Promise<ServerProbe> {
    return this.#clients.use(signal, probe);
  }

  overwritten(mark: ServerMark, plan: MigrationPlan, signal: AbortSignal): Promise<readonly TableId[]> {
    return this.#clients.use(signal, (client) => overwritten(client, mark, plan));
  }

  lockWaits(signal: AbortSignal): Promise<readonly LockWait[]> {
    return this.#clients.use(signal, lockWaits);
  }

  watchWriters(tables: readonly TableId[]): WriterWatch {
    return new ServerWriters(tables, new MysqlWriters(this.#clients, tables));
  }

  watchJournal(request: JournalRequest, signal: AbortSignal): Promise<WatchedJournal> {
    const rows = (sql: string, forThis: AbortSignal): Promise<readonly string[][]> =>
      this.#clients.use(forThis, async (client) => {
        const found = await client.query<Record<string, string>>(sql);
        return found.map((row) => Object.values(row));
      });
    return watchJournal({ sql: mysqlJournalSql, rows, positionOf: readCheckpoint }, request, signal);
  }

  notedStart(request: JournalRequest, signal: AbortSignal): Promise<string | undefined> {
    return this.#clients.use(signal, (client) => notedStart(client, request));
  }

  openJournal(request: JournalRequest, signal: AbortSignal): Promise<Journal> {
    return openJournal(this.#endpoint, request, signal);
  }

  existingTables(tables: readonly TableId[], signal: AbortSignal): Promise<readonly TableId[]> {
    return this.#clients.use(signal, (client) => existingTables(client, tables));
  }

  prepareSchema(request: SchemaRequest, signal: AbortSignal): Promise<readonly MigrationError[]> {
    return this.#clients.use(signal, (client) => prepareSchema(client, request));
  }

  /** Foreign keys go with the tables; no view keeps a table from being dropped. */
  async dropObjects(): Promise<void> {}

  /** convert() leaves out all of them. */
  async makeObjects({ objects }: MakeObjects): Promise<readonly ObjectOutcome[]> {
    return objects.map(({ kind, id }) => {
      const message = `The target makes no ${kind}.`;
      return new MigrationError("target.object_not_made", { message, subject: `${id.schema}.${id.name}` });
    });
  }

  async presentObjects(): Promise<readonly RightsId[]> {
    return [];
  }

  async giveRights(): Promise<readonly Finding[]> {
    return [];
  }

  prepareTables(
    requests: readonly PrepareRequest[],
    signal: AbortSignal,
  ): Promise<readonly TableOutcome<PreparedTable>[]> {
    return ownWrites.during(() => this.#clients.use(signal, (client) => prepareTables(client, requests)));
  }

  emptyTable(plan: TablePlan, signal: AbortSignal): Promise<void> {
    return ownWrites.during(() => this.#about(plan, signal, (client) => emptyTable(client, plan)));
  }

  async bulkFormats(
    plans: readonly TablePlan[],
    signal: AbortSignal,
  ): Promise<readonly TableOutcome<readonly BulkFormat[]>[]> {
    const tables = await this.#clients.use(signal, (client) => loadableTables(client, plans, this.#choices));
    return tables.map((table, i) => {
      if (table instanceof MigrationError) return table;
      this.#loaders.know(plans[i]!, table.columns);
      return table.formats;
    });
  }

  addColumns(
    additions: readonly ColumnAddition[],
    _others: readonly TableId[],
    signal: AbortSignal,
  ): Promise<readonly TableOutcome<undefined>[]> {
    return ownWrites.during(() =>
      this.#builders.use(signal, (client) => addColumns(client, additions, this.#earlier)),
    );
  }

  alterTables(
    request: AlterTables,
    journal: JournalRequest,
    signal: AbortSignal,
  ): Promise<readonly TableOutcome<AlteredTable>[]> {
    const values = this.#earlier;
    return ownWrites.during(() =>
      this.#builders.use(signal, (client) => alterTables(client, request, { journal, values })),
    );
  }

  dropTables(
    plans: readonly TablePlan[],
    journal: JournalRequest,
    signal: AbortSignal,
  ): Promise<readonly TableOutcome<undefined>[]> {
    return ownWrites.during(() => this.#builders.use(signal, (client) => dropTables(client, plans, journal)));
  }

  openLoader(request: LoadRequest, signal: AbortSignal): Promise<Loader> {
    return notedLoader(request, () => this.#loaders.open(request, signal));
  }

  async presentLargeObjects(): Promise<readonly string[]> {
    return [];
  }

  /** There is no place for values outside of tables: it is noted that they are passed over, and told. */
  async writeLargeObjects(request: WriteLargeObjects, signal: AbortSignal): Promise<readonly Finding[]> {
    const sql = saveNoteSql(request, "large objects", JSON.stringify(request.to));
    await this.#clients.use(signal, (client) => client.execute(sql));
    const [first] = request.objects;
    if (first === undefined) return [];
    return [
      finding("convert.object", "warning", {
        subject: "large objects",
        message: `Large objects are left out, from ${first.id} on: ${request.objects.length} and perhaps later ones.`,
      }),
    ];
  }

  postLoadSteps(plan: TablePlan): readonly PostLoadStep[] {
    return postLoadSteps(plan);
  }

  runSteps(steps: readonly PostLoadStep[], signal: AbortSignal): Promise<readonly TableOutcome<undefined>[]> {
    // The server may copy a table for a key.
    return ownWrites.during(() => this.#builders.use(signal, (client) => buildSteps(client, steps)));
  }

  setSequences(states: readonly SequenceState[], signal: AbortSignal): Promise<readonly TableId[]> {
    return this.#clients.use(signal, (client) => setCounters(client, states));
  }

  async openApplier(request: ApplyRequest, signal: AbortSignal): Promise<Applier> {
    // Loaded for tasks that capture changes alone.
    const { openApplier } = await import("./apply/applier.ts");
    return await openApplier({ endpoint: this.#endpoint, replaced: this.#replaced }, request, signal);
  }

  async openRepair(plans: readonly TablePlan[], signal: AbortSignal): Promise<RowRepair> {
    // Loaded for repairs alone.
    const { openRowRepair } = await import("./apply/row-repair.ts");
    return await openRowRepair({ endpoint: this.#endpoint, choices: this.#choices }, plans, signal);
  }

  findings(): readonly Finding[] {
    return this.#replaced.findings("target.value_out_of_range", outOfRangeText(this.#choices));
  }

  /** A transaction here tells nobody who has written it. */
  async assessMarking(): Promise<readonly Finding[]> {
    return [
      finding("target.origin_privilege", "error", {
        subject: "EnableLoopbackPrevention",
        message: "MySQL and MariaDB cannot mark changes as brought by replication.",
        remedy: "Replicate in one direction, or into PostgreSQL.",
      }),
    ];
  }

  async checkUncaptured(): Promise<void> {}

  async forgetMark(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      [this.#clients, this.#builders, this.#loaders].map((pool) => pool[Symbol.asyncDispose]()),
    );
  }

  #about<Result>(
    plan: TablePlan,
    signal: AbortSignal,
    work: (client: Client) => Promise<Result>,
  ): Promise<Result> {
    return this.#clients.use(signal, work, { table: plan.source.id, phase: "build" });
  }
}

/** DMS's TargetDbType: "specific-database" puts everything into the one that the endpoint names. */
function onlySchema({ database, settings }: EndpointConfig): string | undefined {
  return settings["TargetDbType"] === "specific-database" && database !== "" ? database : undefined;
}
