import type pg from "pg";
import { selectJson } from "../catalog/catalog-query.ts";
import type { StatedName } from "./stated-name.ts";
import { type WrittenName, writtenNames } from "./written-names.ts";

interface CountedRow {
  /** The server's number of statements that are alike. */
  readonly id: string;
  readonly user: string;
  readonly rows: number;
}

/** Statements that are alike are as many as the extension keeps, some thousands; they may come and go. */
const KEPT = 20_000;

/**
 * Who has carried out which statements, by pg_stat_statements where the database has it and the user may read it: also of
 * sessions that have ended, and of statements after which the session has done something else.
 */
export class CountedStatements {
  #rows: ReadonlyMap<string, number> | undefined;
  readonly #written = new Map<string, readonly WrittenName[]>();
  /** In front of the extension's functions; null when it is not there, undefined when that is not known. */
  #schema: string | null | undefined;

  /** What statements name that have written rows since the look before. `names`: what others name is of no interest. */
  async look(client: pg.Client, names: ReadonlySet<string>): Promise<readonly StatedName[]> {
    if (this.#schema === undefined) {
      const [found] = await selectJson<{ schema: string }>(client, EXTENSION);
      this.#schema = found?.schema ?? null;
    }
    if (this.#schema === null) return [];
    try {
      return await this.#grown(client, `${this.#schema}.pg_stat_statements`, names);
    } catch (error) {
      // It is not loaded, or is not for this user: the session can be used for other things.
      if (client.getTransactionStatus() !== "I") throw error;
      this.#schema = null;
      return [];
    }
  }

  async #grown(client: pg.Client, view: string, names: ReadonlySet<string>): Promise<readonly StatedName[]> {
    const counted = await selectJson<CountedRow>(client, countedSql(view));
    const before = this.#rows;
    this.#rows = new Map(counted.map(({ id, user, rows }) => [`${id} ${user}`, rows]));
    if (before === undefined) return [];
    const grown = counted.filter(({ id, user, rows }) => rows > (before.get(`${id} ${user}`) ?? 0));
    const unread = grown.map(({ id }) => id).filter((id) => !this.#written.has(id));
    if (unread.length > 0) await this.#read(client, { view, unread, names });
    return grown.flatMap(({ id, user }) => {
      const somebody = { session: null, prepared: null, user, address: null, application: null };
      return (this.#written.get(id) ?? []).map((name) => ({ somebody, name }));
    });
  }

  async #read(
    client: pg.Client,
    asked: { readonly view: string; readonly unread: readonly string[]; readonly names: ReadonlySet<string> },
  ): Promise<void> {
    const { view, unread, names } = asked;
    if (this.#written.size > KEPT) this.#written.clear();
    for (const id of unread) this.#written.set(id, []);
    const texts = await selectJson<{ id: string; query: string }>(client, textsSql(view), [unread]);
    for (const { id, query } of texts) {
      this.#written.set(
        id,
        writtenNames(query).filter(({ name }) => names.has(name)),
      );
    }
  }
}

const EXTENSION = `select quote_ident(schema.nspname) as schema from pg_catalog.pg_extension extension
  join pg_catalog.pg_namespace schema on schema.oid = extension.extnamespace where extension.extname = 'pg_stat_statements'`;

function countedSql(view: string): string {
  return `select counted.queryid::text as id, role.rolname as user, sum(counted.rows)::int8 as rows
    from ${view}(false) counted join pg_catalog.pg_roles role on role.oid = counted.userid
   where counted.dbid = (select oid from pg_catalog.pg_database where datname = current_database())
     and role.rolname <> session_user and counted.rows > 0 and counted.queryid is not null
   group by 1, 2`;
}

function textsSql(view: string): string {
  return `select distinct on (queryid) queryid::text as id, left(query, 1000) as query from ${view}(true)
    where queryid = any ($1::int8[]) order by queryid`;
}
