import { NULL_CELL } from "../../../core/change-batch.ts";
import type { EndpointConfig } from "../../../core/engine.ts";
import type { TablePlan } from "../../../core/plan.ts";
import type { CellRow, RepairStatements, RowRepair } from "../../../core/row-repair.ts";
import { EngineRepair, repairFailure } from "../../shared/apply/engine-repair.ts";
import { literal } from "../../shared/identifier.ts";
import { openWire } from "../connection/connection.ts";
import { classify } from "../connection/errors.ts";
import type { WireSession } from "../connection/wire-session.ts";
import { ApplyColumns } from "./apply-columns.ts";
import { ACTS_ON_NOTHING_SQL, DEFER_SQL, silences } from "./apply-open.ts";
import { type ApplyCommand, ApplySql, type NamedCells } from "./apply-sql.ts";
import { readTargetTables, type TargetTable } from "./apply-table.ts";
import { unchangedOf } from "./update-shapes.ts";

/** What decides how literals are read, and what is done of itself. */
const SETTINGS = [
  "set client_encoding = 'UTF8'",
  // Notices quote values.
  "set client_min_messages = warning",
  "set standard_conforming_strings = on",
  "set datestyle = 'ISO'",
  "set intervalstyle = 'postgres'",
  "set timezone = 'UTC'",
  "set lc_monetary = 'C'",
  "set xmloption = content",
  "set array_nulls = on",
  "set row_security = off",
  "set default_transaction_isolation = 'read committed'",
];

export async function openRowRepair(
  endpoint: EndpointConfig,
  plans: readonly TablePlan[],
  signal: AbortSignal,
): Promise<RowRepair> {
  const failure = repairFailure(classify, { endpoint, signal });
  const open = (): Promise<WireSession> =>
    openWire(endpoint, { side: "target", purpose: "tideway repair" }, signal);
  await using wire = await open();
  try {
    const isSilent = await silences(wire);
    return new EngineRepair<WireSession, TargetTable>(
      {
        client: "psql -v ON_ERROR_STOP=1 -f FILE DATABASE",
        settings: isSilent ? [...SETTINGS, ACTS_ON_NOTHING_SQL] : SETTINGS,
        begin: `begin; ${DEFER_SQL}`,
        keysAct: !isSilent,
        ...{ open, failure },
        execute: (session, sql) => session.query(sql),
        statements: (plan, table) => new PostgresStatements(plan, table),
        remarks: (table) => remarksOf(table, isSilent),
      },
      plans,
      await readTargetTables(wire, plans),
    );
  } catch (error) {
    throw failure(error);
  }
}

function remarksOf(table: TargetTable | undefined, isSilent: boolean): readonly string[] {
  if (!isSilent) return ["Foreign keys and triggers act: the user may not set session_replication_role."];
  return table?.plain === false
    ? ["It has a rule or a trigger that acts on rows that are brought by replication, too."]
    : [];
}

/** The applier's commands for rows that are tried again, each with the values of one row. */
class PostgresStatements implements RepairStatements {
  readonly #cells: LiteralCells;
  readonly #sql: ApplySql;
  readonly #columns: ApplyColumns;
  readonly #key: readonly number[];
  readonly #width: number;

  constructor(plan: TablePlan, target: TargetTable | undefined) {
    const columns = new ApplyColumns(plan, target, "text");
    const cells = new LiteralCells();
    this.#columns = columns;
    this.#cells = cells;
    this.#sql = new ApplySql(plan, target, columns, () => cells);
    this.#key = plan.source.key;
    this.#width = plan.source.columns.length;
  }

  insert(row: CellRow): Buffer {
    return this.#of(row, () => (this.#hasKey ? this.#sql.restoring("insert") : this.#sql.insert(false)));
  }

  update(row: CellRow): readonly Buffer[] {
    const unchanged = unchangedOf(row.cells, row.row, this.#width);
    const changes = (o: number): boolean => unchanged[o] === 0 && !this.#key.includes(o);
    const { written, fixed } = this.#columns;
    const isSet = written.some((o) => changes(o) && this.#columns.isSettable(o));
    return [
      ...(isSet ? [this.#of(row, () => this.#sql.restoring("update", unchanged))] : []),
      ...(fixed.some(changes) ? [this.#of(row, () => this.#sql.restoring("setFixed"))] : []),
    ];
  }

  delete(row: CellRow): Buffer {
    return this.#of(row, () => (this.#hasKey ? this.#sql.restoring("delete") : this.#sql.delete()));
  }

  get #hasKey(): boolean {
    return this.#key.length > 0;
  }

  #of(row: CellRow, command: () => ApplyCommand): Buffer {
    this.#cells.row = row;
    return Buffer.from(command().sql);
  }
}

/** The values of one row in the places of parameters. Like these, such literals get the types of where they stand. */
class LiteralCells implements NamedCells {
  row: CellRow = { bytes: new Uint8Array(0), cells: new Int32Array(0), row: 0 };

  of(ordinal: number): string {
    const { bytes, cells, row } = this.row;
    const start = cells[row + 2 * ordinal]!;
    if (start === NULL_CELL) return "null";
    const end = cells[row + 2 * ordinal + 1]!;
    return literal(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString());
  }

  apart(): void {}

  in(sql: string): ApplyCommand {
    return { sql, params: NO_PARAMETERS };
  }
}

const NO_PARAMETERS = new Int32Array(0);
