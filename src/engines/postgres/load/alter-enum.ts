import type pg from "pg";
import type { EnumLabels } from "../../../core/schema-note.ts";
import { literal, qualified } from "../../shared/identifier.ts";
import { selectJson } from "../catalog/catalog-query.ts";

/** Gives an enum type of the target its labels; one that is not there stays so. */
export async function alterEnum(client: pg.Client, type: EnumLabels): Promise<void> {
  const present = await selectJson<{ label: string }>(
    client,
    `select l.enumlabel as label from pg_enum l join pg_type t on t.oid = l.enumtypid
       join pg_namespace n on n.oid = t.typnamespace
      where n.nspname = $1 and t.typname = $2 order by l.enumsortorder`,
    [type.id.schema, type.id.name],
  );
  const statements = labelStatements(
    type,
    present.map(({ label }) => label),
  );
  for (const sql of statements) await client.query(sql);
}

/** One statement adds a label or renames one; none drops any. */
export function labelStatements({ id, labels }: EnumLabels, present: readonly string[]): string[] {
  if (present.length === 0) return [];
  const alter = `alter type ${qualified(id)}`;
  const now = [...present];
  const statements: string[] = [];
  for (const [i, label] of labels.entries()) {
    if (now.includes(label)) continue;
    const old = now[i];
    if (labels.length === now.length && old !== undefined && !labels.includes(old)) {
      statements.push(`${alter} rename value ${literal(old)} to ${literal(label)}`);
      now[i] = label;
      continue;
    }
    const place = i === 0 ? `before ${literal(now[0]!)}` : `after ${literal(labels[i - 1]!)}`;
    statements.push(`${alter} add value ${literal(label)} ${place}`);
    now.splice(i, 0, label);
  }
  return statements;
}
