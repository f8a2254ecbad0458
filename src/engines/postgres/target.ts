import type { EndpointConfig } from "../../core/engine.ts";
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
  PostLoadStep,
  PrepareMode,
  PrepareRequest,
  Target,
} from "../../core/target.ts";
import { openApplier } from "./applier.ts";
import { assessTarget } from "./assess-target.ts";
import { targetFormats } from "./bulk-format.ts";
import { ClientPool } from "./client-pool.ts";
import { openJournal } from "./journal.ts";
import { LoaderPool } from "./loader.ts";
import { postLoadSteps } from "./post-load.ts";
import { emptyTable, existingTables, prepareSchema, prepareTable } from "./prepare.ts";
import { setSequences } from "./sequences.ts";

/** A PostgreSQL database as target: gives each call a connection. */
export class PostgresTarget implements Target {
  readonly #endpoint: EndpointConfig;
  readonly #clients: ClientPool;
  readonly #loaders: LoaderPool;

  constructor(endpoint: EndpointConfig) {
    this.#endpoint = endpoint;
    this.#clients = new ClientPool(endpoint, { side: "target", purpose: "tideway target" });
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

  prepareSchema(plan: MigrationPlan, signal: AbortSignal): Promise<void> {
    return this.#clients.use(signal, (client) => prepareSchema(client, plan));
  }

  prepareTable(request: PrepareRequest, signal: AbortSignal): Promise<{ readonly keepsRows: boolean }> {
    const context = { table: request.plan.source.id, phase: "build" } as const;
    return this.#clients.use(signal, (client) => prepareTable(client, request), context);
  }

  emptyTable(plan: TablePlan, signal: AbortSignal): Promise<void> {
    const context = { table: plan.source.id, phase: "build" } as const;
    return this.#clients.use(signal, (client) => emptyTable(client, plan), context);
  }

  bulkFormats(plan: TablePlan, signal: AbortSignal): Promise<readonly BulkFormat[]> {
    const context = { table: plan.source.id, phase: "load" } as const;
    return this.#clients.use(signal, (client) => targetFormats(client, plan), context);
  }

  openLoader(request: LoadRequest, signal: AbortSignal): Promise<Loader> {
    return this.#loaders.open(request, signal);
  }

  postLoadSteps(plan: TablePlan): readonly PostLoadStep[] {
    return postLoadSteps((signal) => this.#clients.lease(signal), plan);
  }

  setSequences(states: readonly SequenceState[], signal: AbortSignal): Promise<readonly TableId[]> {
    return this.#clients.use(signal, (client) => setSequences(client, states));
  }

  openApplier(request: ApplyRequest, signal: AbortSignal): Promise<Applier> {
    return openApplier(this.#endpoint, request, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#clients[Symbol.asyncDispose](), this.#loaders[Symbol.asyncDispose]()]);
  }
}
