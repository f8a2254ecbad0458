import type pg from "pg";
import { type TableId, tableKey } from "../../../core/schema.ts";
import type { ClientPool } from "../../shared/connection/client-pool.ts";
import { ownProcesses } from "../../shared/connection/session-watch.ts";
import { WRITING_PURPOSES } from "../../shared/writers/tideway-sessions.ts";
import type {
  Effects,
  SeenCounts,
  SeenSessions,
  StatedWriter,
  TableCount,
  WriterServer,
} from "../../shared/writers/writer-server.ts";
import { selectJson } from "../catalog/catalog-query.ts";
import { CountedStatements } from "./counted-statements.ts";
import type { Somebody, StatedName } from "./stated-name.ts";
import { COUNTS, EFFECTS, SERVER, SESSIONS, STATED } from "./writers-sql.ts";
import { writtenNames } from "./written-names.ts";

/** A session counts its writes when it ends a transaction, and what it does not count then ten seconds after it has become idle. */
const LAG_MS = 15_000;
/** Before, a session that is idle may keep what it has to count until it does something else. */
const COUNTS_IN_TIME_SINCE = 150_000;

interface SessionsRow {
  /** By the server's clock. */
  readonly asked: string;
  readonly writing: readonly (Somebody & { readonly table: TableId })[];
  readonly stating: readonly (Somebody & { readonly query: string })[];
  /** Who has asked has the name of one of Tideway's sessions. */
  readonly isKnown: boolean;
  /** Processes of Tideway's sessions that may write. */
  readonly tideway: readonly number[];
}

/** What a PostgreSQL server shows of other writers. */
export class PostgresWriters implements WriterServer {
  readonly #clients: ClientPool<pg.Client>;
  readonly #tables: ReadonlyMap<string, TableId>;
  readonly #names: ReadonlySet<string>;
  readonly #statements = new CountedStatements();
  #askedBefore: string | null = null;

  constructor(clients: ClientPool<pg.Client>, tables: readonly TableId[]) {
    this.#clients = clients;
    this.#tables = new Map(tables.map((table) => [tableKey(table), table]));
    this.#names = new Set(tables.map(({ name }) => name));
  }

  sessions(signal: AbortSignal): Promise<SeenSessions> {
    return this.#clients.use(signal, async (client) => {
      const [started] = await selectJson<{ server: string }>(client, SERVER);
      const own = ownProcesses(started!.server);
      const values = [[...own], this.#askedBefore, WRITING_PURPOSES];
      const [row] = await selectJson<SessionsRow>(client, SESSIONS, values);
      const { asked, isKnown, writing, stating, tideway } = row!;
      this.#askedBefore = asked;
      if (!isKnown) return { writing: [], stating: [], othersOfTideway: true };
      const stated = stating.flatMap(({ query, ...somebody }) =>
        writtenNames(query).map((name) => ({ somebody, name })),
      );
      return {
        writing: writing
          .filter(({ table }) => this.#tables.has(tableKey(table)))
          .map((writer) => ({ ...writer, counted: null })),
        stating: await this.#stated(client, stated),
        othersOfTideway: tideway.some((pid) => !own.has(pid)),
      };
    });
  }

  counts(_first: readonly TableId[], signal: AbortSignal): Promise<SeenCounts> {
    return this.#clients.use(signal, async (client) => {
      const tables = [...this.#tables.values()];
      const values = [tables.map(({ schema }) => schema), tables.map(({ name }) => name)];
      const [row] = await selectJson<CountsRow>(client, COUNTS, values);
      const { version, counts } = row!;
      const stated = await this.#statements.look(client, this.#names);
      return {
        counts: countsOf(tables, counts),
        stating: await this.#stated(client, stated),
        accounts: new Map(),
        lagMs: version >= COUNTS_IN_TIME_SINCE ? LAG_MS : Infinity,
      };
    });
  }

  effects(signal: AbortSignal): Promise<Effects> {
    return this.#clients.use(signal, async (client) => {
      const [row] = await selectJson<Effects>(client, EFFECTS);
      return row!;
    });
  }

  /** Those whose statement can be about none but one of the tables, and who may write to it. */
  async #stated(client: pg.Client, stated: readonly StatedName[]): Promise<readonly StatedWriter[]> {
    const possible = stated.filter(({ name }) => this.#names.has(name.name));
    if (possible.length === 0) return [];
    const found = await selectJson<{ index: number; table: TableId }>(client, STATED, [
      possible.map(({ somebody }) => somebody.user),
      possible.map(({ name }) => name.schema ?? null),
      possible.map(({ name }) => name.name),
    ]);
    return found.flatMap(({ index, table }) => {
      const { somebody, name } = possible[index - 1]!;
      if (!this.#tables.has(tableKey(table))) return [];
      const shownBy = name.empties ? "identity" : "count";
      return [{ writer: { ...somebody, table, counted: null }, shownBy }];
    });
  }
}

function countsOf(tables: readonly TableId[], counts: CountsRow["counts"]): readonly TableCount[] {
  const known = new Map(counts.map(({ index, ...one }) => [index, one]));
  const absent = { count: 0, identity: null };
  return tables.map((table, i) => ({ table, isOfRows: true, ...(known.get(i + 1) ?? absent) }));
}

interface CountsRow {
  /** 180004, for instance. */
  readonly version: number;
  /** Indexes count from 1. Tables that are not there are missing. */
  readonly counts: readonly (Pick<TableCount, "count" | "identity"> & { readonly index: number })[];
}
