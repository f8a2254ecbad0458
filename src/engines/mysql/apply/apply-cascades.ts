import type { CascadeTarget, ReferringRows } from "../../shared/apply/apply-cascades.ts";
import { EXPECT_WIDTH, Expect } from "../../shared/apply/apply-counts.ts";
import { SqlText } from "../values/sql-text.ts";
import type { ApplySession } from "./apply-session.ts";
import type { CascadeSql } from "./cascade-sql.ts";

/** Does with a session's statements what foreign keys of the source have done by themselves. */
export class MysqlCascades implements CascadeTarget {
  readonly #session: ApplySession;
  readonly #tables: { cascade(plan: number): CascadeSql };

  constructor(session: ApplySession, tables: { cascade(plan: number): CascadeSql }) {
    this.#session = session;
    this.#tables = tables;
  }

  async read(
    wanted: ReferringRows,
    columns: readonly number[],
    limit: number | undefined,
  ): Promise<readonly (readonly (string | null)[])[]> {
    const sql = this.#tables.cascade(wanted.plan);
    const found: (readonly (string | null)[])[] = [];
    for (let from = 0; from < wanted.rows.length && (limit === undefined || found.length < limit); ) {
      const out = new SqlText();
      sql.select(out, columns);
      from = sql.where(out, wanted, from);
      if (limit !== undefined) out.append(Buffer.from(` limit ${limit - found.length}`));
      const text = out.bytes.toString("utf8", 0, out.length);
      for (const row of await this.#session.ask(text)) found.push(row);
    }
    return found;
  }

  async write(rows: ReferringRows): Promise<void> {
    const session = this.#session;
    const sql = this.#tables.cascade(rows.plan);
    const expect = rows.gets === undefined ? Expect.cascadeDelete : Expect.cascadeUpdate;
    for (let from = 0; from < rows.rows.length; ) {
      const out = session.begin();
      if (rows.gets === undefined) sql.delete(out);
      else sql.update(out, rows.gets);
      from = sql.where(out, rows, from);
      session.end(rows.plan * EXPECT_WIDTH + expect);
      if (session.full) await session.push();
    }
  }
}
