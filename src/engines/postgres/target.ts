import type pg from "pg";
import type { ChangeEncoding } from "../../core/change-batch.ts";
import type { EndpointConfig } from "../../core/engine.ts";
import { MigrationError, type TableOutcome } from "../../core/error.ts";
import type { Finding } from "../../core/finding.ts";
import type { Journal, JournalRequest, WatchedJournal } from "../../core/journal.ts";
import type { LockWait } from "../../core/lock-wait.ts";
import type { WriterWatch } from "../../core/other-writer.ts";
import type { MigrationPlan, TablePlan } from "../../core/plan.ts";
import type { PostLoadStep } from "../../core/post-load-step.ts";
import type { ObjectRights, RightsId } from "../../core/rights.ts";
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
  GiveRights,
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
import { watchJournal } from "../shared/apply/watch-journal.ts";
import type { ClientPool } from "../shared/connection/client-pool.ts";
import { notedLoader } from "../shared/load/noted-loader.ts";
import { inPieces, oneByOne, togetherOrAlone } from "../shared/table-outcomes.ts";
import { ownWrites } from "../shared/writers/own-writes.ts";
import { ServerWriters } from "../shared/writers/server-writers.ts";
import { addColumns, addedNames } from "./alter/add-columns.ts";
import { alterTables } from "./alter/alter-tables.ts";
import { openJournal } from "./apply/journal.ts";
import { checkpointPosition, notedStart, postgresJournalSql } from "./apply/journal-sql.ts";
import { assessTarget } from "./assess/assess-target.ts";
import { probe } from "./assess/probe.ts";
import { overwritten } from "./assess/server-mark.ts";
import { geometryType } from "./catalog/geometry-type.ts";
import { lockWaits } from "./catalog/lock-waits.ts";
import { orderByRowTypes } from "./catalog/row-types.ts";
import { setSequences } from "./catalog/sequences.ts";
import { clientPool } from "./connection/client-pool.ts";
import { convertPlan } from "./convert/convert.ts";
import { buildSteps, setUpBuildSession } from "./load/build-steps.ts";
import { dropObjects } from "./load/drop-objects.ts";
import { dropTables } from "./load/drop-tables.ts";
import { giveRights, presentRights } from "./load/give-rights.ts";
import { presentLargeObjects, writeLargeObjects } from "./load/large-object-writer.ts";
import { LoaderPool } from "./load/loader.ts";
import { makeObjects } from "./load/make-objects.ts";
import { postLoadSteps } from "./load/post-load.ts";
import { dropRelated, emptyTable, existingTables, prepareSchema, prepareTables } from "./load/prepare.ts";
import { assessMarking, checkUncaptured, dropOrigin } from "./log/origin.ts";
import { targetFormats } from "./snapshot/bulk-format.ts";
import { PostgresWriters } from "./writers/postgres-writers.ts";

const CHANGE_ENCODINGS: readonly ChangeEncoding[] = ["pg-binary", "text"];

/** Tables prepared in one transaction: each holds some locks, of which a server has some thousands. */
const PREPARED_AT_ONCE = 200;

/** A PostgreSQL database as target: gives each call a connection. */
export class PostgresTarget implements Target {
  readonly changeEncodings = CHANGE_ENCODINGS;
  readonly #endpoint: EndpointConfig;
  readonly #clients: ClientPool<pg.Client>;
  readonly #builders: ClientPool<pg.Client>;
  readonly #loaders: LoaderPool;
  #geometry: string | undefined;

  constructor(endpoint: EndpointConfig) {
    this.#endpoint = endpoint;
    this.#clients = clientPool(endpoint, { side: "target", purpose: "tideway target" });
    this.#builders = clientPool(endpoint, { side: "target", purpose: "tideway build" }, setUpBuildSession);
    this.#loaders = new LoaderPool(endpoint);
  }

  /** Throws what stands in the way of connecting; learns whether there is PostGIS, which convert() needs to know. */
  async check(signal: AbortSignal): Promise<void> {
    this.#geometry = await this.#clients.use(signal, geometryType);
  }

  convert(plan: MigrationPlan): ConvertedPlan {
    return convertPlan(plan, this.#geometry);
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

  async lockWaits(signal: AbortSignal): Promise<readonly LockWait[]> {
    return await lockWaits(this.#endpoint, signal);
  }

  watchWriters(tables: readonly TableId[]): WriterWatch {
    return new ServerWriters(tables, new PostgresWriters(this.#clients, tables));
  }

  watchJournal(request: JournalRequest, signal: AbortSignal): Promise<WatchedJournal> {
    const rows = (sql: string, forThis: AbortSignal): Promise<string[][]> =>
      this.#clients.use(forThis, async (client) => {
        const found = await client.query<string[]>({ text: sql, rowMode: "array" });
        return found.rows;
      });
    return watchJournal({ sql: postgresJournalSql, rows, positionOf: checkpointPosition }, request, signal);
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

  dropObjects(plan: MigrationPlan, signal: AbortSignal): Promise<void> {
    return this.#clients.use(signal, (client) => dropObjects(client, plan));
  }

  makeObjects(request: MakeObjects, signal: AbortSignal): Promise<readonly ObjectOutcome[]> {
    return this.#builders.use(signal, (client) => makeObjects(client, request));
  }

  async presentObjects(rights: readonly ObjectRights[], signal: AbortSignal): Promise<readonly RightsId[]> {
    const present = await this.#clients.use(signal, (client) => presentRights(client, rights));
    return [...present.values()];
  }

  giveRights(request: GiveRights, signal: AbortSignal): Promise<readonly Finding[]> {
    return this.#builders.use(signal, (client) => giveRights(client, request));
  }

  async prepareTables(
    requests: readonly PrepareRequest[],
    signal: AbortSignal,
  ): Promise<readonly TableOutcome<PreparedTable>[]> {
    const { related, others } = orderByRowTypes(requests);
    const outcomes = new Map<PrepareRequest, TableOutcome<PreparedTable>>();
    using _writes = ownWrites.begin("any");
    // All of these before any is made anew: a row type cannot go while a column has it. What a crash leaves
    // dropped is made the next time.
    const toDrop = related.filter(({ mode }) => mode === "drop-and-create").toReversed();
    for (const [request, dropped] of await this.#inPieces(toDrop, dropRelated, signal)) {
      if (dropped instanceof MigrationError) outcomes.set(request, dropped);
    }
    const toMake = [...related, ...others].filter((request) => !outcomes.has(request));
    for (const [request, prepared] of await this.#inPieces(toMake, prepareTables, signal)) {
      outcomes.set(request, prepared);
    }
    return requests.map((request) => outcomes.get(request)!);
  }

  /** Some tables in one transaction each time, in their order; `work` has a result for each of them. */
  async #inPieces<Result>(
    requests: readonly PrepareRequest[],
    work: (client: pg.Client, some: readonly PrepareRequest[]) => Promise<readonly Result[]>,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<PrepareRequest, TableOutcome<Result>>> {
    const outcomes = new Map<PrepareRequest, TableOutcome<Result>>();
    for (const some of inPieces(requests, PREPARED_AT_ONCE)) {
      const done = await togetherOrAlone(
        some,
        (these) => this.#clients.use(signal, (client) => work(client, these)),
        async (one) => {
          const context = { table: one.plan.source.id, phase: "build" } as const;
          const [result] = await this.#clients.use(signal, (client) => work(client, [one]), context);
          return result!;
        },
      );
      for (const [i, request] of some.entries()) outcomes.set(request, done[i]!);
    }
    return outcomes;
  }

  emptyTable(plan: TablePlan, signal: AbortSignal): Promise<void> {
    const context = { table: plan.source.id, phase: "build" } as const;
    return ownWrites.during(() => this.#clients.use(signal, (client) => emptyTable(client, plan), context));
  }

  bulkFormats(
    plans: readonly TablePlan[],
    signal: AbortSignal,
  ): Promise<readonly TableOutcome<readonly BulkFormat[]>[]> {
    return this.#clients.use(signal, (client) => targetFormats(client, plans));
  }

  addColumns(
    additions: readonly ColumnAddition[],
    others: readonly TableId[],
    signal: AbortSignal,
  ): Promise<readonly TableOutcome<undefined>[]> {
    const add = async (addition: ColumnAddition): Promise<undefined> => {
      const context = { table: addition.plan.source.id, phase: "build" } as const;
      const unlike = additions.filter((one) => addedNames(one) !== addedNames(addition));
      const apart = [...others, ...unlike.map(({ plan }) => plan.target.id)];
      await this.#clients.use(signal, (client) => addColumns(client, addition, apart), context);
    };
    return ownWrites.during(() => oneByOne(additions, add));
  }

  alterTables(
    request: AlterTables,
    journal: JournalRequest,
    signal: AbortSignal,
  ): Promise<readonly TableOutcome<AlteredTable>[]> {
    return ownWrites.during(() =>
      this.#clients.use(signal, (client) => alterTables(client, request, journal)),
    );
  }

  dropTables(
    plans: readonly TablePlan[],
    journal: JournalRequest,
    signal: AbortSignal,
  ): Promise<readonly TableOutcome<undefined>[]> {
    const drop = (some: readonly TablePlan[], table?: TableId): Promise<readonly undefined[]> => {
      const context = table === undefined ? {} : ({ table, phase: "build" } as const);
      return this.#clients.use(signal, (client) => dropTables(client, some, journal), context);
    };
    return ownWrites.during(() =>
      togetherOrAlone(plans, drop, async (plan) => (await drop([plan], plan.source.id))[0]),
    );
  }

  openLoader(request: LoadRequest, signal: AbortSignal): Promise<Loader> {
    return notedLoader(request, () => this.#loaders.open(request, signal));
  }

  presentLargeObjects(ids: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
    return this.#builders.use(signal, (client) => presentLargeObjects(client, ids));
  }

  writeLargeObjects(request: WriteLargeObjects, signal: AbortSignal): Promise<readonly Finding[]> {
    return this.#builders.use(signal, (client) => writeLargeObjects(client, request));
  }

  postLoadSteps(plan: TablePlan): readonly PostLoadStep[] {
    return postLoadSteps(plan);
  }

  runSteps(steps: readonly PostLoadStep[], signal: AbortSignal): Promise<readonly TableOutcome<undefined>[]> {
    return this.#builders.use(signal, (client) => buildSteps(client, steps));
  }

  setSequences(states: readonly SequenceState[], signal: AbortSignal): Promise<readonly TableId[]> {
    return this.#clients.use(signal, (client) => setSequences(client, states));
  }

  async openApplier(request: ApplyRequest, signal: AbortSignal): Promise<Applier> {
    // Loaded for tasks that capture changes alone.
    const { openApplier } = await import("./apply/applier.ts");
    return await openApplier(this.#endpoint, request, signal);
  }

  async openRepair(plans: readonly TablePlan[], signal: AbortSignal): Promise<RowRepair> {
    // Loaded for repairs alone.
    const { openRowRepair } = await import("./apply/row-repair.ts");
    return await openRowRepair(this.#endpoint, plans, signal);
  }

  assessMarking(taskId: string, signal: AbortSignal): Promise<readonly Finding[]> {
    return this.#clients.use(signal, (client) => assessMarking(client, taskId));
  }

  checkUncaptured(plan: MigrationPlan, signal: AbortSignal): Promise<void> {
    return this.#clients.use(signal, (client) => checkUncaptured(client, plan));
  }

  forgetMark(taskId: string, signal: AbortSignal): Promise<void> {
    return this.#clients.use(signal, (client) => dropOrigin(client, taskId, signal));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      [this.#clients, this.#builders, this.#loaders].map((pool) => pool[Symbol.asyncDispose]()),
    );
  }
}
