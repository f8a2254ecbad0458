import {
  type Column,
  type ForeignKey,
  type TableId,
  type TableSchema,
  tableKey,
} from "../../../core/schema.ts";
import {
  type ColumnShape,
  isSameShape,
  type ShapedTable,
  shapeChange,
  type TableShape,
  tableChanged,
  withKnownNumbers,
} from "../../../core/table-shape.ts";
import type { ColumnRow, FoundColumn } from "./catalog-columns.ts";
import { fillOf } from "./fill-text.ts";

/*
 * MySQL gives neither tables nor columns numbers that outlive a change of the table: InnoDB's numbers change
 * whenever rows are written anew, which adding a column does in 5.7. So a table is what has its name, and a column
 * is known by its place. A column that gave way to another of the same name, type and place cannot be told from it
 * here, nor a table that was made anew: the binary log tells of both, at their place.
 */

export interface ShapeParts {
  readonly columns: readonly FoundColumn[];
  /** See TableShape. */
  readonly keys: readonly string[];
  readonly foreignKeys: readonly ForeignKey[];
  readonly collation: string | null;
}

export function tableShape(id: TableId, parts: ShapeParts): TableShape {
  const { columns, keys, foreignKeys, collation } = parts;
  return {
    table: tableKey(id),
    storage: "",
    columnsEver: columns.length,
    unnumbered: true,
    ...(collation === null ? {} : { collation }),
    keys,
    silentKeys: silentKeyTexts(foreignKeys),
    columns: columns.map((column, at) => columnShape(column, at + 1)),
  };
}

export function silentKeyTexts(foreignKeys: readonly ForeignKey[]): readonly string[] {
  return foreignKeys.flatMap(({ columns: own, references, referencedColumns, silent }) =>
    silent === undefined ? [] : JSON.stringify([own, references, referencedColumns, silent]),
  );
}

export function columnShape(found: FoundColumn, number: number): ColumnShape {
  const { row, column } = found;
  return {
    number,
    name: column.name,
    type: typeText(row),
    version: columnVersion(column),
    computed: column.generated ?? null,
    ...fillOf(found),
  };
}

/** What is said of a column beside its name and type, by what the catalog shows of it or a statement says. */
export function columnVersion(column: Column): string {
  const { nullable, default: text, identity, virtual, comment } = column;
  return JSON.stringify([nullable, text ?? null, identity ?? null, virtual ?? false, comment ?? ""]);
}

/** Values depend on the type's text, those of strings on the character set, and how they compare on the collation. */
function typeText({ columnType, collation }: ColumnRow): string {
  return collation === null ? columnType : `${columnType} ${collation}`;
}

/**
 * Holds tables as they are against what they were described as, see Source.checkTables; resolves with those that
 * changed in what does not concern their rows. `now`: shapes by the table's key; a table that is gone has none.
 */
export function compareShapes(
  tables: readonly TableSchema[],
  now: ReadonlyMap<string, TableShape>,
): readonly ShapedTable[] {
  return tables.flatMap(({ id, shape: known }) => {
    if (known === undefined) return [];
    const found = now.get(tableKey(id));
    if (found === undefined) throw tableChanged(id, "was dropped or renamed");
    const shape = withKnownNumbers(found, known);
    if (isSameShape(known, shape)) return [];
    const change = shapeChange(known, shape);
    if (change.kind === "other") throw tableChanged(id, change.how);
    if (change.kind === "added") throw tableChanged(id, `got the column ${change.columns[0]!.name}`);
    return [{ id, shape }];
  });
}
