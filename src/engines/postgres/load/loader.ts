import { setImmediate } from "node:timers/promises";
import type { EndpointConfig } from "../../../core/engine.ts";
import type { TablePlan } from "../../../core/plan.ts";
import type { RowChunk } from "../../../core/row-chunk.ts";
import type { Column } from "../../../core/schema.ts";
import type { Loader, LoadRequest } from "../../../core/target.ts";
import { identifier, qualified } from "../../shared/identifier.ts";
import { LoadTallies } from "../../shared/load/load-tallies.ts";
import { readTargetTables } from "../apply/apply-table.ts";
import { isNothingMarked, markPartitionDoneSql } from "../apply/journal-sql.ts";
import { openBulkSession } from "../connection/bulk-session.ts";
import { ServerError } from "../connection/server-error.ts";
import { type LentSession, SessionPool } from "../connection/session-pool.ts";
import type { WireSession } from "../connection/wire-session.ts";
import { BareDigits } from "./bare-digits.ts";
import { loadError, taken } from "./load-errors.ts";
import { openScreenedLoader } from "./screened-loader.ts";

const INSUFFICIENT_PRIVILEGE = "42501";

/**
 * A socket that takes all that is written at once never lets the event loop run, and what the server
 * says meanwhile is not heard. After so many bytes it is.
 */
const LISTEN_BYTES = 4 << 20;

/** Loaders of one target that share their sessions, one partition after the other. */
export class LoaderPool implements AsyncDisposable {
  readonly #endpoint: EndpointConfig;
  readonly #sessions: SessionPool;
  readonly #tallies = new LoadTallies();
  /** Asked once for all partitions of a table: a table that becomes another has another plan. */
  readonly #bareColumns = new WeakMap<TablePlan, Promise<readonly boolean[]>>();

  constructor(endpoint: EndpointConfig) {
    this.#endpoint = endpoint;
    this.#sessions = new SessionPool((signal) => openLoadSession(endpoint, signal));
  }

  /** Starts the transaction that writes one partition. */
  async open(request: LoadRequest, signal: AbortSignal): Promise<Loader> {
    const { screens } = request;
    if (screens !== undefined) {
      const shared = { endpoint: this.#endpoint, tallies: this.#tallies };
      return await openScreenedLoader(shared, { ...request, screens }, signal);
    }
    let session: LentSession | undefined;
    try {
      session = await this.#sessions.lend(signal);
      const bare = await this.#bareDigits(session.wire, request);
      await session.wire.copyIn(`begin isolation level read committed; ${copyInSql(request)}`);
      return new PostgresLoader({ session, request, bare, endpoint: this.#endpoint, signal });
    } catch (error) {
      session?.discard();
      throw signal.aborted ? signal.reason : loadError(error, this.#endpoint, request);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sessions[Symbol.asyncDispose]();
  }

  async #bareDigits(wire: WireSession, { plan, format }: LoadRequest): Promise<BareDigits | undefined> {
    if (format !== "pg-copy-text" || !plan.source.columns.some(isBytes)) return undefined;
    let asked = this.#bareColumns.get(plan);
    if (asked === undefined) {
      asked = bareColumns(wire, plan);
      this.#bareColumns.set(plan, asked);
      asked.catch(() => this.#bareColumns.delete(plan));
    }
    const isBare = await asked;
    return isBare.includes(true) ? new BareDigits(isBare) : undefined;
  }
}

/**
 * Triggers and foreign keys of a table that was there act on the source, whose rows already show what
 * they did. A user who may not switch them off (see `target.trigger_privilege`) loads with them on.
 */
async function openLoadSession(endpoint: EndpointConfig, signal: AbortSignal): Promise<WireSession> {
  const wire = await openBulkSession(endpoint, "target", signal);
  try {
    await wire.query("set synchronous_commit = off");
    await wire.query("set session_replication_role = replica");
  } catch (error) {
    if (!(error instanceof ServerError) || error.fields.code !== INSUFFICIENT_PRIVILEGE) {
      await wire[Symbol.asyncDispose]();
      throw error;
    }
  }
  return wire;
}

interface OpenLoad {
  readonly session: LentSession;
  readonly request: LoadRequest;
  /** Where the table has columns that do not take the text of bytes as it comes. */
  readonly bare: BareDigits | undefined;
  readonly endpoint: EndpointConfig;
  readonly signal: AbortSignal;
}

/**
 * One transaction: COPY, then the partition's completion in the journal, which a crash of the target can
 * only take back together. So the commit need not wait for the disk. Whatever is built on it is recorded
 * by a later commit that does wait (a table's state, a position applied, and only then confirmed to the
 * source), and a server's log keeps commits in order. A crash in between also ends the journal's own
 * connection, and with it the attempt: the next one reads the journal as it is then.
 */
class PostgresLoader implements Loader {
  readonly #load: OpenLoad;
  readonly #wire: WireSession;
  /** Bytes written since the event loop was last let run for certain. */
  #unheard = 0;

  constructor(load: OpenLoad) {
    this.#load = load;
    this.#wire = load.session.wire;
  }

  async write(chunk: RowChunk): Promise<void> {
    try {
      const { bare } = this.#load;
      if (bare === undefined) await this.#wire.sendAlong(chunk.bytes, chunk.release);
      else {
        const bytes = bare.convert(chunk.bytes);
        chunk.release?.();
        await this.#wire.sendAlong(bytes);
      }
      this.#unheard += chunk.bytes.length;
      if (this.#unheard > LISTEN_BYTES) {
        this.#unheard = 0;
        await setImmediate();
      }
      await this.#wire.checkCopyIn();
    } catch (error) {
      throw this.#failed(error);
    }
  }

  async finish(): Promise<{ readonly rows: number }> {
    const { session } = this.#load;
    try {
      const rows = Number((await this.#wire.copyInEnd()).split(" ").at(-1));
      await this.#commit(rows);
      await session.giveBack();
      return { rows };
    } catch (error) {
      throw this.#failed(error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#load.session.discard();
  }

  /** One round trip: without a partition to be marked there is an error, and nothing is committed. */
  async #commit(rows: number): Promise<void> {
    const { request } = this.#load;
    try {
      await this.#wire.query(`${markPartitionDoneSql(request, rows)}; commit`);
    } catch (error) {
      throw isNothingMarked(error) ? taken(request) : error;
    }
  }

  #failed(error: unknown): unknown {
    const { session, signal, endpoint, request } = this.#load;
    session.discard();
    return signal.aborted ? signal.reason : loadError(error, endpoint, request);
  }
}

/** Where the source has bytes, which may be shapes, the target is asked for the real types of its columns. */
async function bareColumns(wire: WireSession, plan: TablePlan): Promise<readonly boolean[]> {
  const [table] = await readTargetTables(wire, [plan]);
  return copiedColumns(plan).map(
    (column) => isBytes(column) && table?.columns.get(column.name)?.castsBytes === true,
  );
}

function isBytes({ type }: Column): boolean {
  return type.kind === "bytes";
}

/** Without a column list COPY means all columns; targetFormats() has seen that there are none. */
function copyInSql(request: LoadRequest): string {
  const list = copiedColumns(request.plan)
    .map((column) => identifier(column.name))
    .join(", ");
  const format = request.format === "pg-copy-binary" ? "binary" : "text";
  return `copy ${qualified(request.plan.target.id)}${list === "" ? "" : ` (${list})`} from stdin (format ${format})`;
}

/** The target's, in the order in which their values come. */
function copiedColumns({ source, target }: TablePlan): readonly Column[] {
  return target.columns.filter((_, i) => source.columns[i]!.generated === undefined);
}
