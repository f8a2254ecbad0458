import type { DefinitionContext } from "./defined-column.ts";

/**
 * The collation that a statement names, by itself or by its character set, as the catalog shows it; undefined where that is not
 * certain. Newer servers call utf8 what it is, utf8mb3, also in the names of its collations.
 */
export function namedCollation(
  { charset, collation }: { readonly charset: string | undefined; readonly collation: string | undefined },
  { collations }: Pick<DefinitionContext, "collations">,
): string | undefined {
  const [set, name] = [charset?.toLowerCase() ?? "", collation?.toLowerCase()];
  if (name === undefined)
    return collations.get(set) ?? (set === "utf8" ? collations.get("utf8mb3") : undefined);
  const isRenamed = collations.get("utf8mb3")?.startsWith("utf8mb3_") === true;
  return isRenamed ? name.replace(/^utf8_/, "utf8mb3_") : name;
}
