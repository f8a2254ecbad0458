import type { EndpointConfig } from "../../../core/engine.ts";
import type { TablePlan } from "../../../core/plan.ts";
import type { CellRow, RepairStatements, RowRepair } from "../../../core/row-repair.ts";
import { EngineRepair, repairFailure } from "../../shared/apply/engine-repair.ts";
import type { Client } from "../connection/client.ts";
import { connect } from "../connection/connection.ts";
import { classify } from "../connection/errors.ts";
import { TARGET_SQL_MODE } from "../connection/session-settings.ts";
import type { OutOfRange } from "../values/out-of-range.ts";
import { SqlText } from "../values/sql-text.ts";
import { TableSql } from "./apply-sql.ts";
import { type ApplyTable, readApplyTables } from "./apply-table.ts";

/** What decides how literals are read, and what is done of itself. */
const SETTINGS = [
  "set names utf8mb4",
  "set time_zone = '+00:00'",
  `set sql_mode = '${TARGET_SQL_MODE}'`,
  "set sql_safe_updates = 0",
  "set foreign_key_checks = 0",
  "set unique_checks = 1",
];

export interface RepairTarget {
  readonly endpoint: EndpointConfig;
  readonly choices: OutOfRange;
}

export async function openRowRepair(
  { endpoint, choices }: RepairTarget,
  plans: readonly TablePlan[],
  signal: AbortSignal,
): Promise<RowRepair> {
  const failure = repairFailure(classify, { endpoint, signal });
  const open = (): Promise<Client> =>
    connect(endpoint, { side: "target", purpose: "tideway repair" }, signal);
  await using client = await open();
  try {
    return new EngineRepair<Client, ApplyTable>(
      {
        client: "mariadb DATABASE < FILE, or mysql DATABASE < FILE",
        settings: SETTINGS,
        begin: "start transaction",
        keysAct: false,
        ...{ open, failure },
        execute: (session, sql) => session.execute(sql),
        statements: (plan, table) => new MysqlStatements(new TableSql(plan, table, choices)),
        remarks: (table) =>
          table?.plain === false
            ? ["It has triggers, which act, or may have some, or its engine has no transactions."]
            : [],
      },
      plans,
      await readApplyTables(client, plans, new Set()),
    );
  } catch (error) {
    throw failure(error);
  }
}

/** The applier's statements for rows that are tried again. */
class MysqlStatements implements RepairStatements {
  readonly #sql: TableSql;

  constructor(sql: TableSql) {
    this.#sql = sql;
  }

  insert(row: CellRow): Buffer {
    return written((out) => {
      if (this.#sql.hasKey) return this.#sql.insertUnlessThere(out, row, "identical");
      this.#sql.insertRows(out);
      this.#sql.values(out, row);
    });
  }

  update(row: CellRow): readonly Buffer[] {
    return [written((out) => this.#sql.updateIdentical(out, row))];
  }

  delete(row: CellRow): Buffer {
    return written((out) => {
      if (this.#sql.hasKey) this.#sql.deleteIdentical(out, row);
      else this.#sql.delete(out, row);
    });
  }
}

const NUL = 0x00;
const RETURN = 0x0d;
const AS_ESCAPES: ReadonlyMap<number, Buffer> = new Map([
  [NUL, Buffer.from("\\0")],
  [RETURN, Buffer.from("\\r")],
]);

/** A client that reads statements from a file ends them at a zero byte, and takes a line's end for another one. */
function written(write: (out: SqlText) => void): Buffer {
  const out = new SqlText(Buffer.allocUnsafe(FIRST_LENGTH));
  write(out);
  const sql = out.bytes.subarray(0, out.length);
  if (!sql.includes(NUL) && !sql.includes(RETURN)) return sql;
  const parts: Buffer[] = [];
  let from = 0;
  for (let at = 0; at < sql.length; at++) {
    const escaped = AS_ESCAPES.get(sql[at]!);
    if (escaped === undefined) continue;
    parts.push(sql.subarray(from, at), escaped);
    from = at + 1;
  }
  return Buffer.concat([...parts, sql.subarray(from)]);
}

const FIRST_LENGTH = 1 << 10;
