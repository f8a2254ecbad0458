import { SectionedRecords } from "../../base/sectioned-records.ts";
import { MigrationError } from "../../core/error.ts";

/** In the order in which a table's statements are carried out: what comes may take a place that another row has had. */
export const REPAIR_KINDS = ["delete", "update", "insert"] as const;
export type RepairKind = (typeof REPAIR_KINDS)[number];

/** How many rows are meant by statements of each kind. */
export type RepairCounts = Readonly<Record<RepairKind, number>>;

/** What waits in memory of each table and kind. */
const PIECE_BYTES = 1 << 16;

/** What one transaction holds, more or less. */
const GROUP_STATEMENTS = 500;
const GROUP_BYTES = 1 << 20;

/** What there is of one table and one kind. */
interface Section {
  readonly number: number;
  rows: number;
}

/**
 * Statements in the order of their tables and kinds, in which they are not found. They lie in a file that has no name: they hold
 * values of rows.
 */
export class RepairScript implements Disposable {
  readonly #records: SectionedRecords;
  readonly #sections = new Map<string, Section>();

  /** `directory`: where there is room for the file. */
  constructor(directory: string) {
    this.#records = new SectionedRecords({ directory, pieceBytes: PIECE_BYTES, failure: notWritten });
    this.#records.open();
  }

  /** `table`: see tableKey. `rows`: how many are meant. */
  add(
    { table, kind }: { readonly table: string; readonly kind: RepairKind },
    statement: Buffer,
    rows: number,
  ): void {
    const section = this.#section(table, kind);
    this.#records.add(section.number, statement);
    section.rows += rows;
  }

  /** Rows that statements of other kinds are meant for. */
  count({ table, kind }: { readonly table: string; readonly kind: RepairKind }, rows: number): void {
    this.#section(table, kind).rows += rows;
  }

  counts(table: string): RepairCounts {
    const of = (kind: RepairKind): number => this.#sections.get(keyOf(table, kind))?.rows ?? 0;
    return { delete: of("delete"), update: of("update"), insert: of("insert") };
  }

  /** The statements of a table, some at a time. */
  *groups(table: string, kind: RepairKind): Generator<readonly Buffer[]> {
    let group: Buffer[] = [];
    let bytes = 0;
    for (const statement of this.#records.records(this.#section(table, kind).number)) {
      const isFull = group.length === GROUP_STATEMENTS || bytes + statement.length > GROUP_BYTES;
      if (isFull && group.length > 0) {
        yield group;
        group = [];
        bytes = 0;
      }
      group.push(statement);
      bytes += statement.length;
    }
    if (group.length > 0) yield group;
  }

  [Symbol.dispose](): void {
    this.#records[Symbol.dispose]();
  }

  #section(table: string, kind: RepairKind): Section {
    const key = keyOf(table, kind);
    const known = this.#sections.get(key);
    if (known !== undefined) return known;
    const section = { number: this.#sections.size, rows: 0 };
    this.#sections.set(key, section);
    return section;
  }
}

function keyOf(table: string, kind: RepairKind): string {
  return `${kind} ${table}`;
}

function notWritten(cause: unknown): MigrationError {
  const { code = "unknown error" } = cause as NodeJS.ErrnoException;
  return new MigrationError("validation.repair_not_written", {
    message: `The statements that repair the target cannot be written to a file (${code}).`,
    cause,
  });
}
