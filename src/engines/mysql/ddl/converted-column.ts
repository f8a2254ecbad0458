import type { ShapedColumn } from "./altered-columns.ts";
import { UnreadDefinition } from "./column-text.ts";

/** Bytes that a character takes at most, by the character set. */
const WIDTHS: Readonly<Record<string, number>> = {
  ...{ ascii: 1, latin1: 1, latin2: 1, latin5: 1, latin7: 1, cp1250: 1, cp1251: 1, cp1256: 1, cp1257: 1 },
  ...{ koi8r: 1, koi8u: 1, greek: 1, hebrew: 1, utf8: 3, utf8mb3: 3, utf8mb4: 4 },
};

/** Bytes that texts have room for. */
const TEXTS: readonly (readonly [name: string, bytes: number])[] = [
  ["tinytext", 2 ** 8 - 1],
  ["text", 2 ** 16 - 1],
  ["mediumtext", 2 ** 24 - 1],
  ["longtext", 2 ** 32 - 1],
];

/**
 * A column as CONVERT TO CHARACTER SET leaves it: a text that has no room any more for as many characters gets a larger
 * type. Throws UnreadDefinition.
 */
export function convertedColumn({ column, shape }: ShapedColumn, collation: string): ShapedColumn {
  const { type } = column;
  // MariaDB's is a text with a check.
  if (type.kind === "json") throw new UnreadDefinition();
  if (column.collation === undefined) return { column, shape };
  const [from, to] = [widthOf(column.collation), widthOf(collation)];
  const nativeType = largerText(column.nativeType, from, to);
  const shown = shape.type.slice(0, -column.collation.length).replace(column.nativeType, nativeType);
  return {
    column: { ...column, collation, nativeType },
    shape: { ...shape, type: `${shown}${collation}` },
  };
}

function widthOf(collation: string): number {
  const width = WIDTHS[collation.split("_", 1)[0]!];
  if (width === undefined) throw new UnreadDefinition();
  return width;
}

function largerText(nativeType: string, from: number, to: number): string {
  const bytes = TEXTS.find(([name]) => name === nativeType)?.[1];
  if (bytes === undefined || to <= from) return nativeType;
  const needed = Math.floor(bytes / from) * to;
  return (TEXTS.find(([, room]) => room >= needed) ?? TEXTS.at(-1)!)[0];
}
