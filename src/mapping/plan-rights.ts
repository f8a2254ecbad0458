import type { Finding } from "../core/finding.ts";
import { type Grant, isDefaultRights, type ObjectRights } from "../core/rights.ts";
import type { Catalog, TableId } from "../core/schema.ts";
import { schemaRightsLeftOut } from "./plan-findings.ts";
import { type Moved, referenceKey } from "./plan-objects.ts";
import type { TargetNames } from "./target-names.ts";

interface Names {
  readonly names: TargetNames;
  /** All that is moved beside schemas, by referenceKey(). */
  readonly placed: ReadonlyMap<string, Moved>;
  /** Names on the target of a table's columns that come; undefined where all do, under their own. */
  readonly columns: (table: TableId) => ReadonlyMap<string, string> | undefined;
}

/** The rights of what is moved, under its names on the target. */
export function planRights(
  { rights, schemas }: Catalog,
  { names, placed, columns }: Names,
): { readonly rights: readonly ObjectRights[]; readonly findings: readonly Finding[] } {
  if (rights.length === 0) return { rights, findings: [] };
  const homes = Map.groupBy(
    schemas.map(({ name }) => name),
    (name) => names.schema(name),
  );
  const targetTable = (id: TableId): TableId => {
    return placed.get(referenceKey({ kind: "table", id }))?.target.id ?? names.table(id);
  };
  const planned = rights.flatMap((one): ObjectRights[] => {
    const { kind, id, on } = one;
    if (kind === "schema" || isDefaultRights(kind)) {
      const schema = names.schema(id.schema);
      return homes.get(schema)?.length === 1 ? [{ ...one, id: { ...id, schema } }] : [];
    }
    if (kind === "large object") return [one];
    const moved = placed.get(referenceKey({ kind, id }));
    if (moved === undefined) return [];
    const grants = columns(id);
    const { granted, revoked } = grants === undefined ? one : renamedGrants(one, grants);
    return [
      { ...one, granted, revoked, id: moved.target.id, ...(on === undefined ? {} : { on: targetTable(on) }) },
    ];
  });
  const together = [...homes].filter(([, sources]) => sources.length > 1);
  return {
    rights: planned,
    findings: together.map(([schema, sources]) => schemaRightsLeftOut(schema, sources)),
  };
}

/** Those of columns by the target's names; what is granted on one that stays behind stays there. */
function renamedGrants(
  { granted, revoked }: ObjectRights,
  columns: ReadonlyMap<string, string>,
): Pick<ObjectRights, "granted" | "revoked"> {
  const renamed = (grants: readonly Grant[]): readonly Grant[] =>
    grants.flatMap((grant) => {
      if (grant.column === undefined) return grant;
      const column = columns.get(grant.column);
      return column === undefined ? [] : { ...grant, column };
    });
  return { granted: renamed(granted), revoked: renamed(revoked) };
}
