import type { Column, TableSchema } from "../../../core/schema.ts";
import { type Charset, charsetOf, isUtf8, unknownCharset, writeText } from "../values/binlog-charset.ts";
import { CellBuffer } from "../values/cell-buffer.ts";
import type { RowFacts } from "./binlog-row-plan.ts";
import type { MappedColumn } from "./binlog-table-map.ts";

/* In which characters the log holds a column's texts and labels. */

export interface PlanContext {
  readonly schema: TableSchema;
  readonly facts: RowFacts;
}

/**
 * What the log says comes before what the catalog says now: the column may have been converted since. undefined for a set
 * whose bytes are UTF-8.
 */
export function charsetOfColumn(
  sent: MappedColumn,
  { name: column, collation }: Column,
  { schema, facts }: PlanContext,
): Charset | undefined {
  const logged = sent.collation === undefined ? undefined : facts.collations.get(sent.collation);
  const name = logged ?? (collation === undefined ? undefined : charsetOf(collation));
  if (name === undefined || isUtf8(name)) return undefined;
  const charset = facts.charsets.get(name);
  if (charset === undefined) throw unknownCharset(schema.id, column, name);
  return charset;
}

/** The log's own where it has them: the catalog shows them as they are now, and not every character. */
export function labelsOf(sent: MappedColumn, column: Column, context: PlanContext): readonly Buffer[] {
  const { type } = column;
  if (sent.labels === undefined) {
    return type.kind === "enum" || type.kind === "set" ? type.values.map((label) => Buffer.from(label)) : [];
  }
  const charset = charsetOfColumn(sent, column, context);
  if (charset === undefined) return sent.labels;
  const out = new CellBuffer();
  return sent.labels.map((label) => {
    writeText(out, charset, label, 0, label.length);
    return Buffer.from(out.take());
  });
}
