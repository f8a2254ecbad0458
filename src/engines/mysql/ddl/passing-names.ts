import { type TableId, tableKey } from "../../../core/schema.ts";

/*
 * gh-ost and pt-online-schema-change alter a copy of a table and let it take the table's name:
 *
 *     gh-ost                     _t_gho   _t_ghc (its notes)   _t_del or _t_20261201123000_del
 *     pt-online-schema-change    _t_new (with more underscores before it where that is taken)   _t_old
 */
const PASSING = /^_+(.+?)(?:_\d{14})?_(?:gho|ghc|del|new|old)$/;
const COPY = /^_+(.+?)(?:_\d{14})?_(?:gho|new)$/;

/** The table that a tool's own table belongs to, by its name; undefined for another. */
export function passingFor({ schema, name }: TableId): TableId | undefined {
  const base = PASSING.exec(name)?.[1];
  return base === undefined ? undefined : { schema, name: base };
}

/** Whether a table's name is that of a tool's own, beside a table that it belongs to. */
export function isPassing(id: TableId, tables: readonly TableId[]): boolean {
  const base = passingFor(id);
  return base !== undefined && tables.some((table) => tableKey(table) === tableKey(base));
}

/** Of these, the copies that are to take the place of one of some tables. */
export function copiesOf(tables: readonly TableId[], ids: readonly TableId[]): readonly TableId[] {
  const wanted = new Set(tables.map(tableKey));
  return ids.filter(({ schema, name }) => {
    const base = COPY.exec(name)?.[1];
    return base !== undefined && wanted.has(tableKey({ schema, name: base }));
  });
}
