import type { EndpointConfig } from "../../../core/engine.ts";
import type { MigrationError } from "../../../core/error.ts";
import type { TablePlan } from "../../../core/plan.ts";
import type { RepairStatements, RowRepair } from "../../../core/row-repair.ts";
import { type TableId, tableKey } from "../../../core/schema.ts";
import type { ErrorContext } from "../connection/error-context.ts";
import { ownWrites } from "../writers/own-writes.ts";

/** What an engine knows of repairs. `Table`: what its catalog says of a table. */
export interface RepairDialect<Session extends AsyncDisposable, Table>
  extends Pick<RowRepair, "client" | "settings" | "begin" | "keysAct"> {
  open(): Promise<Session>;
  /** Carries statements out that are one text. */
  execute(session: Session, sql: string): Promise<unknown>;
  statements(plan: TablePlan, table: Table | undefined): RepairStatements;
  remarks(table: Table | undefined): readonly string[];
  /** What an error comes to that came up with rows of the source's table. */
  failure(error: unknown, table: TableId): unknown;
}

/** What errors of a repair come to. */
export function repairFailure(
  classify: (error: unknown, context: ErrorContext) => MigrationError,
  { endpoint, signal }: { readonly endpoint: EndpointConfig; readonly signal: AbortSignal },
): (error: unknown, table?: TableId) => unknown {
  return (error, table) => {
    if (signal.aborted) return signal.reason;
    const about = table === undefined ? {} : { table };
    return classify(error, { side: "target", endpoint, phase: "apply", ...about });
  };
}

/** A repair of tables that were looked up before it. Its session is opened when it first carries something out. */
export class EngineRepair<Session extends AsyncDisposable, Table> implements RowRepair {
  readonly client: string;
  readonly settings: readonly string[];
  readonly begin: string;
  readonly keysAct: boolean;
  readonly #dialect: RepairDialect<Session, Table>;
  readonly #tables: ReadonlyMap<string, Table | undefined>;
  #session: Session | undefined;

  /** `tables`: what stands on the target, in the order of the plans. */
  constructor(
    dialect: RepairDialect<Session, Table>,
    plans: readonly TablePlan[],
    tables: readonly (Table | undefined)[],
  ) {
    this.client = dialect.client;
    this.settings = dialect.settings;
    this.begin = dialect.begin;
    this.keysAct = dialect.keysAct;
    this.#dialect = dialect;
    this.#tables = new Map(plans.map(({ target }, i) => [tableKey(target.id), tables[i]]));
  }

  statements(plan: TablePlan): RepairStatements {
    return this.#dialect.statements(plan, this.#tableOf(plan));
  }

  remarks(plan: TablePlan): readonly string[] {
    return this.#dialect.remarks(this.#tableOf(plan));
  }

  async run({ source: { id }, target }: TablePlan, statements: readonly Buffer[]): Promise<void> {
    const dialect = this.#dialect;
    using _write = ownWrites.begin([target.id]);
    try {
      this.#session ??= await this.#opened();
      await dialect.execute(this.#session, [this.begin, ...statements.map(String), "commit"].join(";\n"));
    } catch (error) {
      // A session that has failed is left, and its transaction with it.
      await this[Symbol.asyncDispose]();
      throw dialect.failure(error, id);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.[Symbol.asyncDispose]();
  }

  async #opened(): Promise<Session> {
    const session = await this.#dialect.open();
    await this.#dialect.execute(session, this.settings.join("; "));
    return session;
  }

  #tableOf({ target }: TablePlan): Table | undefined {
    return this.#tables.get(tableKey(target.id));
  }
}
