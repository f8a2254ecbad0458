import type { Finding } from "../../../core/finding.ts";
import { displayTable, type ForeignKey, type TableSchema, tableKey } from "../../../core/schema.ts";
import { SilentKeys } from "../../../core/silent-keys.ts";
import { finding, mends } from "../../shared/finding.ts";
import { describeReferred } from "../catalog/referred-tables.ts";
import type { TypeChoices } from "../catalog/type-map.ts";
import type { Client } from "../connection/client.ts";

/**
 * Foreign keys that delete or change rows by themselves, which the log does not hold, where that cannot be done again
 * on the target: what happens to a row that is referred to has to be in the log, with the values that are.
 */
export async function assessCascades(
  client: Client,
  tables: readonly TableSchema[],
  choices: TypeChoices,
): Promise<readonly Finding[]> {
  if (!tables.some(({ foreignKeys }) => foreignKeys.some(({ silent }) => silent !== undefined))) return [];
  const outside = await describeReferred(client, tables, choices);
  const referred = new Map([...tables, ...outside].map((table) => [tableKey(table.id), table]));
  const selected = new Set(tables.map(({ id }) => tableKey(id)));
  const keys = new SilentKeys([...referred.values()]);
  const [row] = await client.query<{ readonly image: string }>("select @@global.binlog_row_image as image");
  const isMinimal = row?.image.toUpperCase() === "MINIMAL";
  return tables.flatMap((table) =>
    table.foreignKeys.flatMap((key) => {
      if (key.silent === undefined) return [];
      const parent = referred.get(tableKey(key.references));
      if (parent === undefined) {
        const why = `the source's user sees nothing of ${displayTable(key.references)}`;
        return [unfollowed(table, key, why)];
      }
      if (!keys.follows(key)) {
        const why = "the columns on both sides are of different types, or the referred ones are generated";
        return [unfollowed(table, key, why)];
      }
      if (isMinimal && !isKeyOf(parent, key)) {
        const found = unfollowed(table, key, "the log holds no more of an old row than its primary key");
        return [{ ...found, ...LOG_WHOLE_ROWS }];
      }
      const actor = parent.foreignKeys.find(({ silent }) => silent !== undefined);
      if (selected.has(tableKey(parent.id)) || actor === undefined) return [];
      const { name } = actor;
      return [unfollowed(table, key, `${displayTable(parent.id)}, whose rows ${name} changes, is not moved`)];
    }),
  );
}

const LOG_WHOLE_ROWS = mends("source", ["set global binlog_row_image = FULL;"], {
  after: "let sessions that are open connect again, and set it in its option file, too.",
});

/** With binlog_row_image = MINIMAL old rows have the columns of the key that they are told by, and no others. */
function isKeyOf({ columns, key, rowIdentity }: TableSchema, { referencedColumns }: ForeignKey): boolean {
  if (rowIdentity === "full") return true;
  const names = new Set(key.map((ordinal) => columns[ordinal]!.name.toLowerCase()));
  return referencedColumns.every((name) => names.has(name.toLowerCase()));
}

/** `why` follows "because". */
function unfollowed({ id }: TableSchema, { name, references, native }: ForeignKey, why: string): Finding {
  return finding("source.cascades_unlogged", "warning", {
    subject: displayTable(id),
    table: id,
    message: `What the foreign key ${name} (${native.toLowerCase()}) does by itself to rows of ${displayTable(id)}, when rows of ${displayTable(references)} go or get other values, is not done on the target, because ${why}.`,
  });
}
