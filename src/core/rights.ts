import { type ObjectReference, type TableId, tableKey } from "./schema.ts";

/** What new objects of a role in a schema are given from the start. */
export type DefaultRightsKind = `default privileges on ${"tables" | "sequences" | "routines" | "types"}`;

/**
 * Who owns something, and how what others may do with it differs from what the server gives by itself:
 * servers of other versions may give more or less. Roles belong to a server and are named alike on both sides.
 */
export interface ObjectRights {
  readonly kind: ObjectReference["kind"] | "schema" | "large object" | DefaultRightsKind;
  /** A schema has an empty `name`, a large object an empty `schema`; default privileges are named after the role whose objects get them. */
  readonly id: TableId;
  /** The table that it is, or that it comes and goes with. */
  readonly on?: TableId;
  readonly owner: string;
  readonly granted: readonly Grant[];
  /** What the server gives by itself and somebody took away. */
  readonly revoked: readonly Grant[];
}

export interface Grant {
  /** As the server names it: SELECT, EXECUTE. */
  readonly privilege: string;
  readonly column?: string;
  /** The role that gave it; absent: the owner, whoever that is. */
  readonly by?: string;
  /** The role that has it, EVERYBODY, or absent: the owner, whoever that is. */
  readonly to?: string;
  /** It may be given on to others. */
  readonly grantable: boolean;
}

/** No role can have this name. */
export const EVERYBODY = "public";

export type RightsId = Pick<ObjectRights, "kind" | "id">;

/** Names an object among all of one side. */
export function rightsKey({ kind, id }: RightsId): string {
  return `${kind} ${tableKey(id)}`;
}

export function isDefaultRights(kind: ObjectRights["kind"]): kind is DefaultRightsKind {
  return kind.startsWith("default privileges");
}

export function displayRights({ kind, id }: RightsId): string {
  if (kind === "schema") return `schema ${id.schema}`;
  if (kind === "large object") return `large object ${id.name}`;
  if (isDefaultRights(kind)) return `${kind} of ${id.name} in ${id.schema}`;
  return `${kind} ${id.schema}.${id.name}`;
}
