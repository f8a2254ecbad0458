import type { Column, LogicalType, TableSchema } from "../../../core/schema.ts";
import { identifier } from "../catalog/identifier.ts";
import { mayReplace } from "../values/replaced-characters.ts";
import { checkedText } from "./character-check.ts";

/** How the text that the server sends for a value becomes the text of its logical type. */
export const Cell = {
  /** As it is. */
  copied: 0,
  text: 1,
  number: 2,
  hex: 3,
  geometry: 4,
  bits: 5,
  boolean: 6,
  date: 7,
  zonedDate: 8,
  time: 9,
  double: 10,
  float: 11,
} as const;
export type Cell = (typeof Cell)[keyof typeof Cell];

/** A column that is copied, and how it is asked for. */
export interface ReadColumn {
  readonly name: string;
  /** What stands for it in a SELECT list: whatever the server prints in the way that is read most cheaply. */
  readonly expression: string;
  readonly cell: Cell;
  /** Of a BIT: its bits. */
  readonly length: number;
  readonly nullable: boolean;
  readonly type: LogicalType;
  readonly nativeType: string;
  readonly collation?: string;
  readonly holdsZeroDates?: true;
  /** Its text is asked for by checkedText(). */
  readonly isChecked: boolean;
}

/** What a row without columns is asked for by: an empty text, which makes an empty line. */
const NOTHING: ReadColumn = {
  ...{ name: "", expression: "''", cell: Cell.text, length: 0, nullable: false, nativeType: "text" },
  isChecked: false,
  type: { kind: "string", fixed: false },
};

/** The columns that are wanted by their ordinals, or all but the generated ones. */
export function readColumns({ columns }: TableSchema, ordinals?: readonly number[]): readonly ReadColumn[] {
  if (ordinals === undefined)
    return columns.filter(({ generated }) => generated === undefined).map(readColumn);
  return ordinals.length === 0 ? [NOTHING] : ordinals.map((ordinal) => readColumn(columns[ordinal]!));
}

function readColumn(column: Column): ReadColumn {
  const { name, nullable, type, nativeType, collation, holdsZeroDates } = column;
  const cell = cellOf(column);
  // A FLOAT is printed with six digits, and with a scale both kinds are rounded to it; a product is exact. (A sum
  // with zero would be, too, but for -0.)
  const isFloat = cell === Cell.float || cell === Cell.double;
  const plain = isFloat ? `${identifier(name)} * 1e0` : identifier(name);
  const isChecked = mayReplace(column);
  const expression = isChecked ? checkedText(plain) : plain;
  const length = type.kind === "bit" ? type.length : 0;
  return {
    ...{ name, expression, cell, length, nullable, type, nativeType, isChecked },
    ...(collation === undefined ? {} : { collation }),
    ...(holdsZeroDates === undefined ? {} : { holdsZeroDates }),
  };
}

/** What is still in its own form when the server sends it, whatever the column's type is called here. */
const GEOMETRIES = /^(?:geometry|point|linestring|polygon|multi\w+|geom(?:etry)?collection)\b/i;

function cellOf({ type, nativeType }: Column): Cell {
  switch (type.kind) {
    case "boolean":
      return Cell.boolean;
    case "int":
      return /\b(?:zerofill|year)\b/i.test(nativeType) ? Cell.number : Cell.copied;
    case "decimal":
      return /\bzerofill\b/i.test(nativeType) ? Cell.number : Cell.copied;
    case "float":
      return type.bits === 32 ? Cell.float : Cell.double;
    case "bytes":
      return GEOMETRIES.test(nativeType) ? Cell.geometry : Cell.hex;
    case "bit":
      return Cell.bits;
    case "date":
      return Cell.date;
    case "timestamp":
      return type.zoned ? Cell.zonedDate : Cell.date;
    case "time":
    case "interval":
      return Cell.time;
    case "uuid":
      return Cell.copied;
    default:
      return Cell.text;
  }
}
