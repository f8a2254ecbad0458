import type { TablePlan } from "../../../core/plan.ts";
import { displayTable, type ForeignKey, type Index, type TableSchema } from "../../../core/schema.ts";
import type { ConvertNotes } from "../../shared/convert/convert-notes.ts";
import { convertCheck, isJsonCheck } from "./convert-check.ts";
import { convertIndex } from "./convert-index.ts";
import { claimName, type RelationNames } from "./convert-names.ts";
import { type ConvertedTable, convertReference } from "./convert-references.ts";

export interface PartsContext {
  readonly names: RelationNames;
  readonly notes: ConvertNotes;
}

/** The table with those of its indexes that PostgreSQL can have, under names that are free in their schema. */
export function convertIndexes(table: ConvertedTable, { names, notes }: PartsContext): ConvertedTable {
  const { source, target } = table.plan;
  const taken = names.taken(target.id.schema);
  const indexes = target.indexes.flatMap((index): readonly Index[] => {
    const converted = convertIndex({ index, columns: table.columns });
    if (converted === undefined) {
      const why = `The index ${index.name} ${index.native} has no equal on the target and is left out.`;
      notes.about(source, "convert.index", why);
      return [];
    }
    const isPrimary = index.constraint === "primary-key";
    const own = isPrimary ? `${target.id.name}_pkey` : index.name;
    const name = claimName([own, `${target.id.name}_${index.name}`], taken);
    if (name !== own) {
      notes.together(`${displayTable(source.id)}.${index.name}`, {
        ...{ code: "convert.name", severity: "info", subject: "indexes" },
        message: "Indexes are named after their tables on the target, where a schema has each name once",
      });
    }
    return [{ ...converted, name }];
  });
  return { ...table, indexes };
}

/** The plan of the table with its foreign keys and checks, and the indexes that it has got. */
export function convertConstraints(
  table: ConvertedTable,
  tables: ReadonlyMap<string, ConvertedTable>,
  notes: ConvertNotes,
): TablePlan {
  const { plan, columns, indexes } = table;
  const { source, target } = plan;
  for (const key of source.foreignKeys) tellLooseKey(source, key, notes);
  // Constraints share names within their table only.
  const taken = new Set(indexes.filter(({ constraint }) => constraint !== undefined).map(({ name }) => name));
  const foreignKeys = target.foreignKeys.flatMap((key): readonly ForeignKey[] => {
    const converted = convertReference(key, table, tables);
    if (typeof converted === "string") {
      notes.about(source, "convert.reference", `The foreign key ${key.name} ${converted}, and is left out.`);
      return [];
    }
    return [
      { ...converted, name: claimName([converted.name, `${target.id.name}_${converted.name}`], taken) },
    ];
  });
  const checks = target.checks.flatMap((check) => {
    if (isJsonCheck(check)) return [];
    const native = convertCheck(check, columns);
    if (native !== undefined) return [{ ...check, name: claimName([check.name], taken), native }];
    notes.about(source, "convert.check", `The constraint ${check.name} ${check.native} is left out.`);
    return [];
  });
  return { ...plan, target: { ...target, indexes, foreignKeys, checks } };
}

/** Collations that compare bytes, and spaces at the end as all others. */
const EXACT = /^binary$|_0900_bin$|_nopad_bin$/;

/** Rows that a foreign key of the source acts on by itself are found here by values that are the same to the byte. */
function tellLooseKey(source: TableSchema, key: ForeignKey, notes: ConvertNotes): void {
  if (key.silent === undefined) return;
  const columns = source.columns.filter(({ name }) => key.columns.includes(name));
  const isLoose = columns.some(
    ({ type, collation }) => type.kind === "string" && collation !== undefined && !EXACT.test(collation),
  );
  if (!isLoose) return;
  notes.about(
    source,
    "convert.collation",
    `What the foreign key ${key.name} does by itself is done to rows that hold the same to every character; the source also takes values for the same that differ in case, accents or spaces at the end.`,
  );
}
