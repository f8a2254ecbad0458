import type pg from "pg";
import { MigrationError } from "../../../core/error.ts";
import { displayObject, type SchemaObject, tableKey } from "../../../core/schema.ts";
import { describeTextSearch } from "../catalog/catalog-text-search.ts";

type Named = Pick<SchemaObject, "kind" | "id">;

/** Definitions of text search objects by kind and name. */
export type TextSearchDefinitions = ReadonlyMap<string, string>;

/** What the target has in the schemas of the text search objects among these. In the client's transaction. */
export async function presentTextSearch(
  client: pg.Client,
  objects: readonly SchemaObject[],
): Promise<TextSearchDefinitions> {
  const wanted = objects.filter(isTextSearch);
  if (wanted.length === 0) return new Map();
  const schemas = [...new Set(wanted.map(({ id }) => id.schema))];
  const found = await describeTextSearch(client, { schemas, tables: [], oids: [] });
  return new Map(found.map((one) => [keyOf(one), definition(one)]));
}

/**
 * `target.object_conflict` when the target has a text search object of this name with another definition:
 * columns that are computed with it would hold something else than the source's.
 */
export function textSearchConflict(
  object: SchemaObject,
  present: TextSearchDefinitions,
): MigrationError | undefined {
  if (!isTextSearch(object)) return undefined;
  const there = present.get(keyOf(object));
  if (there === undefined || there === definition(object)) return undefined;
  return new MigrationError("target.object_conflict", {
    message: `The target has a ${object.kind} of this name with another definition.`,
    subject: displayObject(object),
  });
}

function isTextSearch({ kind }: Named): boolean {
  return kind === "text search configuration" || kind === "text search dictionary";
}

function keyOf({ kind, id }: Named): string {
  return `${kind} ${tableKey(id)}`;
}

/** Mappings come in the order of the server's collation. What people say about it makes no difference. */
function definition({ native }: Pick<SchemaObject, "native">): string {
  return JSON.stringify(native.filter((text) => !text.startsWith("comment on ")).toSorted());
}
