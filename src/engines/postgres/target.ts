import type { EndpointConfig } from "../../core/engine.ts";
import type { MigrationError, TableOutcome } from "../../core/error.ts";
import type { Finding } from "../../core/finding.ts";
import type { MigrationPlan, TablePlan } from "../../core/plan.ts";
import type { BulkFormat } from "../../core/row-chunk.ts";
import type { SequenceState, TableId } from "../../core/schema.ts";
import type {
  Applier,
  ApplyRequest,
  Journal,
  JournalRequest,
  Loader,
  LoadRequest,
  MakeObjects,
  ObjectOutcome,
  PostLoadStep,
  PreparedTable,
  PrepareMode,
  PrepareRequest,
  SchemaRequest,
  Target,
} from "../../core/target.ts";
import { openApplier } from "./applier.ts";
import { assessTarget } from "./assess-target.ts";
import { buildSteps, setUpBuildSession } from "./build-steps.ts";
import { targetFormats } from "./bulk-format.ts";
import { ClientPool } from "./client-pool.ts";
import { dropObjects } from "./drop-objects.ts";
import { openJournal } from "./journal.ts";
import { LoaderPool } from "./loader.ts";
import { makeObjects } from "./make-objects.ts";
import { postLoadSteps } from "./post-load.ts";
import { emptyTable, existingTables, prepareSchema, prepareTables } from "./prepare.ts";
import { setSequences } from "./sequences.ts";
import { inPieces, togetherOrAlone } from "./together.ts";

/** Tables prepared in one transaction: each holds some locks, of which a server has some thousands. */
const PREPARED_AT_ONCE = 200;

/** A PostgreSQL database as target: gives each call a connection. */
export class PostgresTarget implements Target {
  readonly #endpoint: EndpointConfig;
  readonly #clients: ClientPool;
  readonly #builders: ClientPool;
  readonly #loaders: LoaderPool;

  constructor(endpoint: EndpointConfig) {
    this.#endpoint = endpoint;
    this.#clients = new ClientPool(endpoint, { side: "target", purpose: "tideway target" });
    this.#builders = new ClientPool(
      endpoint,
      { side: "target", purpose: "tideway build" },
      setUpBuildSession,
    );
    this.#loaders = new LoaderPool(endpoint);
  }

  /** Throws what stands in the way of connecting. */
  async check(signal: AbortSignal): Promise<void> {
    await this.#clients.use(signal, (client) => client.query("select"));
  }

  assess(plan: MigrationPlan, mode: PrepareMode, signal: AbortSignal): Promise<readonly Finding[]> {
    return this.#clients.use(signal, (client) => assessTarget(client, plan, mode));
  }

  openJournal(request: JournalRequest, signal: AbortSignal): Promise<Journal> {
    return openJournal(this.#endpoint, request, signal);
  }

  existingTables(plan: MigrationPlan, signal: AbortSignal): Promise<readonly TableId[]> {
    return this.#clients.use(signal, (client) => existingTables(client, plan));
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

  async prepareTables(
    requests: readonly PrepareRequest[],
    signal: AbortSignal,
  ): Promise<readonly TableOutcome<PreparedTable>[]> {
    const outcomes: TableOutcome<PreparedTable>[] = [];
    for (const some of inPieces(requests, PREPARED_AT_ONCE)) {
      const prepare = (
        these: readonly PrepareRequest[],
        table?: TableId,
      ): Promise<readonly PreparedTable[]> => {
        const context = table === undefined ? {} : ({ table, phase: "build" } as const);
        return this.#clients.use(signal, (client) => prepareTables(client, these), context);
      };
      const prepared = await togetherOrAlone(
        some,
        (these) => prepare(these),
        async (one) => (await prepare([one], one.plan.source.id))[0]!,
      );
      outcomes.push(...prepared);
    }
    return outcomes;
  }

  emptyTable(plan: TablePlan, signal: AbortSignal): Promise<void> {
    const context = { table: plan.source.id, phase: "build" } as const;
    return this.#clients.use(signal, (client) => emptyTable(client, plan), context);
  }

  bulkFormats(
    plans: readonly TablePlan[],
    signal: AbortSignal,
  ): Promise<readonly TableOutcome<readonly BulkFormat[]>[]> {
    return this.#clients.use(signal, (client) => targetFormats(client, plans));
  }

  openLoader(request: LoadRequest, signal: AbortSignal): Promise<Loader> {
    return this.#loaders.open(request, signal);
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

  openApplier(request: ApplyRequest, signal: AbortSignal): Promise<Applier> {
    return openApplier(this.#endpoint, request, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      [this.#clients, this.#builders, this.#loaders].map((pool) => pool[Symbol.asyncDispose]()),
    );
  }
}
