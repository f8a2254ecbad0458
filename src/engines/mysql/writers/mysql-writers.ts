import type { OtherWriter } from "../../../core/other-writer.ts";
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
import { literal } from "../catalog/identifier.ts";
import type { Client } from "../connection/client.ts";
import { readGrants } from "../connection/grants.ts";
import { atLeast } from "../connection/server-facts.ts";
import {
  ACCOUNTS,
  LAST_STATEMENT,
  OWN_USER,
  PASSED_ON,
  programsOf,
  statementsSince,
  TRIGGERS,
  WRITING,
} from "./writers-sql.ts";
import { writtenName } from "./written-names.ts";

/** The time of the last commit is a table's at once, and is kept in whole seconds. */
const LAG_MS = 2_000;
/** To ask for a table's time has the server open it. */
const TABLES_AT_ONCE = 100;
/** What the server does not show to the user is asked for again after so long. */
const DENIED_MS = 60_000;

interface SessionRow {
  readonly session: string;
  readonly user: string;
  readonly address: string | null;
  readonly application: string | null;
}

interface StatementRow extends SessionRow {
  readonly database: string | null;
  readonly text: string | null;
}

/** What the server may keep from this user, or not have at all. */
type Part = "programs" | "writing" | "statements" | "accounts";

/** What a MySQL or MariaDB server shows of other writers. */
export class MysqlWriters implements WriterServer {
  readonly #clients: ClientPool<Client>;
  readonly #tables: readonly TableId[];
  readonly #deniedUntilMs = new Map<Part, number>();
  /** As the server takes names for the same. Undefined until one is looked for: statements name tables all the time. */
  #byName: ReadonlyMap<string, TableId> | undefined;
  /** Of the table that is counted next. */
  #next = 0;
  /** By the server's timer of statements. */
  #lastStatement: string | undefined;

  constructor(clients: ClientPool<Client>, tables: readonly TableId[]) {
    this.#clients = clients;
    this.#tables = tables;
  }

  sessions(signal: AbortSignal): Promise<SeenSessions> {
    return this.#clients.use(signal, async (client) => {
      const othersOfTideway = await this.#othersOfTideway(client);
      const stating = await this.#shown("statements", client, () => this.#stating(client));
      const writing = await this.#shown("writing", client, () => this.#writing(client, stating));
      return { othersOfTideway, writing, stating };
    });
  }

  counts(first: readonly TableId[], signal: AbortSignal): Promise<SeenCounts> {
    return this.#clients.use(signal, async (client) => {
      const counts = await this.#counted(client, this.#someTables(first));
      const accounts = await this.#shown("accounts", client, async () =>
        client.query<{ user: string | null; address: string | null; rows: string }>(ACCOUNTS),
      );
      return {
        ...{ counts, stating: [], lagMs: LAG_MS },
        accounts: new Map(
          accounts.map(({ user, address, rows }) => [JSON.stringify({ user, address }), Number(rows)]),
        ),
      };
    });
  }

  effects(signal: AbortSignal): Promise<Effects> {
    return this.#clients.use(signal, async (client) => {
      const grants = await readGrants(client);
      const sees = this.#tables.every(({ schema }) => grants.has("TRIGGER", schema));
      const passedOn =
        await client.query<Record<"schema" | "name" | "toSchema" | "toName", string>>(PASSED_ON);
      return {
        acting: sees ? await client.query<TableId>(TRIGGERS) : undefined,
        passedOn: passedOn.map(({ schema, name, toSchema, toName }) => [
          { schema, name },
          { schema: toSchema, name: toName },
        ]),
      };
    });
  }

  /** A session whose program is not known may be anything's of the user. */
  async #othersOfTideway(client: Client): Promise<boolean> {
    const own = ownProcesses(client.facts.identity);
    const all = await client.query<{ id: string }>(OWN_USER);
    const others = all.map(({ id }) => id).filter((id) => !own.has(Number(id)));
    if (others.length === 0) return false;
    const programs = await this.#shown("programs", client, () =>
      client.query<{ id: string; name: string }>(programsOf(others)),
    );
    const known = new Map(programs.map(({ id, name }) => [id, name]));
    return others.some((id) => WRITING_PURPOSES.includes(known.get(id) ?? WRITING_PURPOSES[0]!));
  }

  /**
   * Of several tables that a transaction has locked it may have written to one alone: rows of the others were locked, or triggers and
   * foreign keys might have changed them. A statement says which.
   */
  async #writing(client: Client, stating: readonly StatedWriter[]): Promise<readonly OtherWriter[]> {
    const rows = await client.query<SessionRow & TableId>(WRITING);
    const locked = Map.groupBy(rows, ({ session }) => session);
    const isStated = (session: string, table: TableId): boolean =>
      stating.some(({ writer }) => writer.session === session && writer.table === table);
    return rows.flatMap(({ schema, name, ...row }) => {
      const table = this.#wanted(client, { schema, name });
      if (table === undefined) return [];
      const isMeant = locked.get(row.session)!.length === 1 || isStated(row.session, table);
      return isMeant ? [writerOf(row, table)] : [];
    });
  }

  async #stating(client: Client): Promise<readonly StatedWriter[]> {
    const [last] = await client.query<{ at: string | null }>(LAST_STATEMENT);
    const since = this.#lastStatement;
    this.#lastStatement = last?.at ?? undefined;
    if (since === undefined) return [];
    const rows = await client.query<StatementRow>(statementsSince(since));
    return rows.flatMap(({ database, text, ...row }) => {
      const written = writtenName(text ?? "", database);
      const table = written && this.#wanted(client, written);
      if (table === undefined) return [];
      return [{ writer: writerOf(row, table), shownBy: written!.empties ? "itself" : "count" }];
    });
  }

  /** Those that are asked for, and some more, so that all have their turn. */
  #someTables(first: readonly TableId[]): readonly TableId[] {
    const some = new Map(first.slice(0, TABLES_AT_ONCE).map((table) => [tableKey(table), table]));
    for (let i = 0; i < this.#tables.length && some.size < TABLES_AT_ONCE; i++) {
      const table = this.#tables[this.#next]!;
      this.#next = (this.#next + 1) % this.#tables.length;
      some.set(tableKey(table), table);
    }
    return [...some.values()];
  }

  async #counted(client: Client, some: readonly TableId[]): Promise<readonly TableCount[]> {
    const absent = { count: 0, identity: null, isOfRows: false };
    const counts = new Map(some.map((table): [TableId, TableCount] => [table, { table, ...absent }]));
    const isKept = client.facts.flavour === "mysql" && atLeast(client.facts, 8);
    const asksAnew = isKept ? "/*+ set_var(information_schema_stats_expiry = 0) */" : "";
    for (const [schema, tables] of Map.groupBy(some, (table) => table.schema)) {
      const names = tables.map(({ name }) => literal(name)).join(", ");
      const rows = await client.query<{ name: string; at: string | null; made: string | null }>(
        `select ${asksAnew} table_name as name, unix_timestamp(update_time) as at, unix_timestamp(create_time) as made
           from information_schema.tables
          where table_schema = ${literal(schema)} and table_name in (${names})`,
      );
      for (const { name, at, made } of rows) {
        const table = this.#wanted(client, { schema, name });
        if (table === undefined) continue;
        counts.set(table, { table, count: Number(at ?? 0), identity: String(made), isOfRows: false });
      }
    }
    return [...counts.values()];
  }

  #wanted(client: Client, id: TableId): TableId | undefined {
    const folds = client.facts.lowerCaseTableNames !== 0;
    const keyOf = (one: TableId): string => (folds ? tableKey(one).toLowerCase() : tableKey(one));
    this.#byName ??= new Map(this.#tables.map((table) => [keyOf(table), table]));
    return this.#byName.get(keyOf(id));
  }

  async #shown<Row>(part: Part, client: Client, ask: () => Promise<readonly Row[]>): Promise<readonly Row[]> {
    if (performance.now() < (this.#deniedUntilMs.get(part) ?? -Infinity)) return [];
    try {
      return await ask();
    } catch (error) {
      if (!client.usable) throw error;
      this.#deniedUntilMs.set(part, performance.now() + DENIED_MS);
      return [];
    }
  }
}

function writerOf({ session, user, address, application }: SessionRow, table: TableId): OtherWriter {
  const empty = { prepared: null, counted: null };
  return { table, session, user, address: address || null, application, ...empty };
}
