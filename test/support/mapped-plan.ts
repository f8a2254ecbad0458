import type { ColumnOrigin, RowRules, TablePlan } from "../../src/core/plan.ts";
import type { Column, LogicalType, TableSchema } from "../../src/core/schema.ts";

export const TEXT: LogicalType = { kind: "string", fixed: false };
export const INT: LogicalType = { kind: "int", bits: 64, unsigned: false };

export interface MappedPlan extends Pick<RowRules, "filter"> {
  readonly reads: readonly LogicalType[];
  readonly columns: readonly (ColumnOrigin & { readonly type?: LogicalType })[];
  /** Ordinals of the source's own key, and what changes tell of the row before. */
  readonly key?: readonly number[];
  readonly rowIdentity?: TableSchema["rowIdentity"];
  /** Ordinals into the plan's columns; those that are made of the source's key when left out. */
  readonly planKey?: readonly number[];
  readonly name?: string;
}

/** A plan with rules of rows as no document has written them; its columns are called p0, p1, ..., the source's c0, c1, ... */
export function mappedPlan(wanted: MappedPlan): TablePlan & { readonly rows: RowRules } {
  const { filter, key = [0], rowIdentity = "key", name = "t" } = wanted;
  const reads = schema(
    name,
    wanted.reads.map((type, i) => column(`c${i}`, type)),
    { key, rowIdentity },
  );
  const columns = wanted.columns.map((origin, i) => {
    const own = origin.kind === "expression" ? TEXT : wanted.reads[origin.ordinal]!;
    const isHashed = origin.kind === "column" && origin.mask?.kind === "hash";
    return column(`p${i}`, origin.type ?? (isHashed ? TEXT : own));
  });
  const made = wanted.columns.flatMap((origin, i) =>
    origin.kind === "column" && key.includes(origin.ordinal) ? [i] : [],
  );
  const source = schema(name, columns, { key: wanted.planKey ?? made, rowIdentity });
  const rows = { reads, columns: wanted.columns, ...(filter === undefined ? {} : { filter }) };
  return { source, target: source, loadOrder: 0, rows };
}

function column(name: string, type: LogicalType): Column {
  return { name, nativeType: "text", type, nullable: true };
}

function schema(
  name: string,
  columns: readonly Column[],
  identity: Pick<TableSchema, "key" | "rowIdentity">,
): TableSchema {
  return {
    ...{ id: { schema: "s", name }, columns, ...identity },
    ...{ indexes: [], checks: [], foreignKeys: [], estimatedRows: 0, estimatedBytes: 0 },
  };
}
