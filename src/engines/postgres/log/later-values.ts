import type pg from "pg";
import type { ChangeBatch } from "../../../core/change-batch.ts";
import { type TableSchema, tableKey } from "../../../core/schema.ts";
import { literal } from "../../shared/identifier.ts";
import { selectJson } from "../catalog/catalog-query.ts";

interface LaterColumn {
  readonly table: TableSchema;
  readonly name: string;
  readonly value: string;
  /** Oid and modifier. */
  readonly type: string;
}

/**
 * What changes from before a column was there stand for in it, as the stream would send it: by table key and
 * column name. Columns that were NULL are left out. A column that is gone again has none: its table does not
 * fit its description any more.
 */
export async function readLaterValues(
  client: pg.Client,
  tables: readonly TableSchema[],
  encoding: ChangeBatch["encoding"],
): Promise<ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>> {
  const columns = tables.flatMap(laterColumns);
  const bytes =
    encoding === "text" ? columns.map(({ value }) => Buffer.from(value)) : await inBinary(client, columns);
  const found = new Map<string, Map<string, Uint8Array>>();
  for (const [i, { table, name }] of columns.entries()) {
    if (bytes[i] === undefined) continue;
    const key = tableKey(table.id);
    const values = found.get(key) ?? new Map<string, Uint8Array>();
    found.set(key, values.set(name, bytes[i]));
  }
  return found;
}

function laterColumns(table: TableSchema): LaterColumn[] {
  return table.columns.flatMap(({ name, later }) => {
    const type = table.shape?.columns.find((column) => column.name === name)?.type;
    if (later === undefined || later.value === null || type === undefined) return [];
    return [{ table, name, value: later.value, type }];
  });
}

/** The server is asked to write the values as their types' binary output does, all in two round trips. */
async function inBinary(
  client: pg.Client,
  columns: readonly LaterColumn[],
): Promise<readonly (Buffer | undefined)[]> {
  if (columns.length === 0) return [];
  const found = await selectJson<{ position: number; send: string; type: string; kind: string }>(
    client,
    `select w.position, t.typsend::regproc::text as send, format_type(t.oid, w.modifier) as type, t.typtype as kind
       from unnest($1::oid[], $2::int[]) with ordinality as w(type, modifier, position)
       join pg_type t on t.oid = w.type`,
    [columns.map(({ type }) => type.split(" ")[0]), columns.map(({ type }) => type.split(" ")[1])],
  );
  const bytes = columns.map((): Buffer | undefined => undefined);
  // A label is sent as it is written; the type may have another in its place by now.
  const isLabel = ({ kind }: { readonly kind: string }): boolean => kind === "e";
  for (const { position } of found.filter(isLabel))
    bytes[position - 1] = Buffer.from(columns[position - 1]!.value);
  const types = found.filter((type) => !isLabel(type));
  if (types.length === 0) return bytes;
  const values = types.map(({ position, send, type }) => {
    return `(${position}, encode(${send}(${literal(columns[position - 1]!.value)}::text::${type}), 'hex'))`;
  });
  const sent = await selectJson<{ position: number; hex: string }>(
    client,
    `select * from (values ${values.join(", ")}) as v(position, hex)`,
  );
  for (const { position, hex } of sent) bytes[position - 1] = Buffer.from(hex, "hex");
  return bytes;
}
