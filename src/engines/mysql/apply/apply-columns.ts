import type { TablePlan } from "../../../core/plan.ts";
import type { LogicalType } from "../../../core/schema.ts";
import { foldedKey, foldedOf, overlooksSpaces } from "../../shared/catalog/folded-keys.ts";
import { identifier } from "../catalog/identifier.ts";
import { CellForm, cellForm } from "../values/cell-text.ts";
import type { ApplyColumn, ApplyTable } from "./apply-table.ts";

/** How a column is compared with a cell: what stands before and after the cell's literal, and its form. */
export interface Comparison {
  /** From the column's name to the literal. */
  readonly open: Buffer;
  readonly close: Buffer;
  readonly form: CellForm;
  /** What stands before the literal when it is by itself, in a list. */
  readonly item: Buffer;
  /** The column as it is compared. */
  readonly column: Buffer;
  /** The whole comparison with NULL. */
  readonly isNull: Buffer;
}

const TEXTS = new Set(["varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"]);
const GEOMETRIES = /^(?:geometry|geom|point|linestring|polygon|multi)/;
/** Digits of a second's fraction in the shared text form at most. */
const FINEST = 6;

/** How a table's columns stand in SQL beside cells. */
export class ApplyColumns {
  readonly #plan: TablePlan;
  readonly #table: ApplyTable | undefined;
  /** Ordinals that neither side computes. */
  readonly written: readonly number[];
  /** By ordinal. */
  readonly forms: Uint8Array;
  readonly names: readonly Buffer[];

  constructor(plan: TablePlan, table: ApplyTable | undefined) {
    this.#plan = plan;
    this.#table = table;
    this.written = plan.source.columns.flatMap((column, ordinal) =>
      column.generated !== undefined || this.#column(ordinal)?.generated === true ? [] : [ordinal],
    );
    this.forms = Uint8Array.from(plan.source.columns, ({ type }, ordinal) =>
      cellForm(type, this.#dataType(ordinal)),
    );
    this.names = plan.target.columns.map(({ name }) => Buffer.from(identifier(name)));
  }

  /** Ordinals with what the target has there. */
  get there(): readonly (readonly [ordinal: number, column: ApplyColumn | undefined])[] {
    return [...this.#plan.source.columns.keys()].map((ordinal) => [ordinal, this.#column(ordinal)] as const);
  }

  /** Columns of the target that are not the plan's. */
  get others(): boolean {
    const known = new Set(this.#plan.target.columns.map(({ name }) => name.toLowerCase()));
    return [...(this.#table?.columns.keys() ?? [])].some((name) => !known.has(name));
  }

  /** Whether keys that the source tells apart may be equal here. */
  get foldsKey(): boolean {
    return foldedKey(this.#plan, this.#folds).length > 0;
  }

  /** Whether values of a column that the source tells apart may be equal here. */
  foldsTexts(ordinal: number): boolean {
    return foldedOf([ordinal], this.#plan, this.#folds).length > 0;
  }

  readonly #folds = (name: string): boolean => this.#table?.columns.get(name.toLowerCase())?.folds === true;

  /** Equality with a key's value, for which the key's index serves. */
  isKey(ordinal: number): Comparison {
    const { open, close, form } = this.#literal(ordinal);
    return comparison({ column: this.#name(ordinal), operator: "=", open, close, form });
  }

  /** Equality that holds for NULL too, and only for values that are the same to the byte where they are characters. */
  isSame(ordinal: number): Comparison {
    const { open, close, form } = this.#literal(ordinal);
    const name = this.#name(ordinal);
    const dataType = this.#dataType(ordinal);
    const operator = "<=>";
    if (TEXTS.has(dataType)) {
      // Beside a binary literal alone, MariaDB compares by the column's collation.
      const column = `cast(convert(${name} using utf8mb4) as binary)`;
      return comparison({ column, operator, open: "_binary", close, form });
    }
    // Neither side has spaces at its end there.
    if (dataType === "char") return this.#isSameButSpaces(ordinal, operator);
    if (GEOMETRIES.test(dataType))
      return comparison({ column: `cast(${name} as binary)`, operator, open, close, form });
    return comparison({ column: name, operator, open, close, form });
  }

  /** Equality of texts where the source tells them apart and the target does not. */
  isReferred(ordinal: number): Comparison {
    const overlooks = overlooksSpaces(this.#plan.source.columns[ordinal]!);
    return overlooks ? this.#isSameButSpaces(ordinal, "=") : this.isSame(ordinal);
  }

  #isSameButSpaces(ordinal: number, operator: string): Comparison {
    const { open, close, form } = this.#literal(ordinal);
    const column = `convert(${this.#name(ordinal)} using utf8mb4) collate utf8mb4_bin`;
    return comparison({ column, operator, open, close: `${close} collate utf8mb4_bin`, form });
  }

  /**
   * A cell as the column's value: as a column rounds what is finer than it, so must a literal that is to be found
   * in it.
   */
  #literal(ordinal: number): { readonly open: string; readonly close: string; readonly form: CellForm } {
    const column = this.#column(ordinal);
    const form = this.forms[ordinal] as CellForm;
    const plain = { open: "", close: "", form };
    switch (column?.dataType) {
      case "float":
        return form === CellForm.number || form === CellForm.shortest
          ? { ...plain, form: CellForm.single }
          : plain;
      case "datetime":
      case "timestamp":
        return cast(`datetime(${column.fraction ?? 0})`, (column.fraction ?? 0) < FINEST, plain);
      case "time":
        return cast(`time(${column.fraction ?? 0})`, (column.fraction ?? 0) < FINEST, plain);
      case "decimal":
        return cast(decimalOf(column), isFiner(this.#plan.source.columns[ordinal]!.type, column), plain);
      case "binary":
        return cast(column.columnType, true, plain);
      case "json":
        return cast("json", true, plain);
      // A source may send the spaces that fill it up; here none is kept, and collations of the kind NO PAD compare them.
      case "char":
        return { open: "rtrim(", close: ")", form };
      default:
        return plain;
    }
  }

  #name(ordinal: number): string {
    return identifier(this.#plan.target.columns[ordinal]!.name);
  }

  #column(ordinal: number): ApplyColumn | undefined {
    return this.#table?.columns.get(this.#plan.target.columns[ordinal]!.name.toLowerCase());
  }

  #dataType(ordinal: number): string {
    return this.#column(ordinal)?.dataType ?? "text";
  }
}

interface Literal {
  readonly open: string;
  readonly close: string;
  readonly form: CellForm;
}

function comparison({
  column,
  operator,
  open,
  close,
  form,
}: Literal & { readonly column: string; readonly operator: string }): Comparison {
  return {
    open: Buffer.from(`${column} ${operator} ${open}`),
    close: Buffer.from(close),
    form,
    item: Buffer.from(open),
    column: Buffer.from(column),
    isNull: Buffer.from(`${column} is null`),
  };
}

function cast(type: string, isNeeded: boolean, { form }: Literal): Literal {
  return isNeeded ? { open: "cast(", close: ` as ${type})`, form } : { open: "", close: "", form };
}

/** "decimal(10,2) unsigned" as a type of CAST. */
function decimalOf({ columnType }: ApplyColumn): string {
  return /^decimal\(\d+,\d+\)/.exec(columnType)?.[0] ?? "decimal(65,30)";
}

/** Whether values of the source's type may have more digits than the column. */
function isFiner(type: LogicalType, { columnType }: ApplyColumn): boolean {
  if (type.kind === "int") return false;
  const scale = Number(/,(\d+)\)/.exec(columnType)?.[1] ?? 0);
  return type.kind !== "decimal" || type.scale === undefined || type.scale > scale;
}
