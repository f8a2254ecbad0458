import type { Finding } from "../core/finding.ts";
import type { TablePlan } from "../core/plan.ts";
import {
  type ObjectReference,
  type SchemaObject,
  type Sequence,
  type TableId,
  tableKey,
  type UserType,
} from "../core/schema.ts";
import { namesText, objectLeftOut, objectNamesColumns, objectNamesRenamed } from "./plan-findings.ts";
import type { TargetNames } from "./target-names.ts";

export interface Moved {
  readonly source: { readonly id: TableId };
  readonly target: { readonly id: TableId };
}

export interface ObjectsRequest {
  readonly objects: readonly SchemaObject[];
  readonly names: TargetNames;
  readonly tables: readonly TablePlan[];
  readonly types: readonly { readonly source: UserType; readonly target: UserType }[];
  readonly sequences: readonly { readonly source: Sequence; readonly target: Sequence }[];
  /** Whether an object that needs a table speaks of columns that it has not on the target, or not like that. */
  readonly changed: (table: TableId, object: SchemaObject) => boolean;
}

/**
 * Which objects come to the target beside the tables: those all of whose needs are there, under names
 * that their texts know. A text names what lies in its own schema without it, so a schema may be renamed;
 * nothing else that it names may be, for no text is rewritten.
 */
export function planObjects(request: ObjectsRequest): {
  readonly objects: readonly SchemaObject[];
  /** All that is moved, by referenceKey(). */
  readonly placed: ReadonlyMap<string, Moved>;
  readonly findings: readonly Finding[];
} {
  const { names } = request;
  const placed = new Map<string, Moved>();
  const place = (kind: ObjectReference["kind"], moved: Moved): void => {
    placed.set(referenceKey({ kind, id: moved.source.id }), moved);
  };
  for (const table of request.tables) place("table", table);
  for (const type of request.types) place("type", type);
  for (const sequence of request.sequences) place("sequence", sequence);
  const objects: SchemaObject[] = [];
  const sources: SchemaObject[] = [];
  const findings: Finding[] = [];
  for (const source of request.objects) {
    const missing = source.needs.find((need) => !isSelf(need, source) && !placed.has(referenceKey(need)));
    if (missing !== undefined) {
      findings.push(objectLeftOut(source, missing));
      continue;
    }
    const home = { source: source.id.schema, target: names.schema(source.id.schema) };
    const renamed = source.needs.find((need) => {
      const moved = placed.get(referenceKey(need));
      // An extension stays where it is, and is looked for there.
      return need.kind !== "extension" && moved !== undefined && !isReadable(moved, home);
    });
    if (renamed !== undefined) {
      findings.push(objectNamesRenamed(source, renamed));
      continue;
    }
    const tables = source.needs.filter(({ kind }) => kind === "table").map(({ id }) => id);
    const changed = [source.on, ...tables].find((id) => id !== undefined && request.changed(id, source));
    if (changed !== undefined) {
      findings.push(objectNamesColumns(source, changed));
      continue;
    }
    const target = targetObject(source, home.target, placed);
    place(source.kind, { source, target });
    objects.push(target);
    sources.push(source);
  }
  return { objects, placed, findings: [...findings, ...doubtfulTexts(sources, names)] };
}

function targetObject(
  source: SchemaObject,
  schema: string,
  placed: ReadonlyMap<string, Moved>,
): SchemaObject {
  if (source.kind === "extension") return source;
  const id = { schema, name: source.id.name };
  if (source.on === undefined) return { ...source, id };
  const on = placed.get(referenceKey({ kind: "table", id: source.on }))!.target.id;
  return { ...source, id, on };
}

/** Whether a text of one schema says the right name when it comes to another one. */
function isReadable(
  { source, target }: Moved,
  home: { readonly source: string; readonly target: string },
): boolean {
  if (source.id.schema !== home.source) return tableKey(source.id) === tableKey(target.id);
  return target.id.schema === home.target && target.id.name === source.id.name;
}

/** What runs as text on the target can name anything, and only people can tell whether it is a name. */
function doubtfulTexts(objects: readonly SchemaObject[], names: TargetNames): Finding[] {
  const schemas = [...new Set(objects.map(({ id }) => id.schema))];
  const renamed = schemas.filter((schema) => names.schema(schema) !== schema);
  return objects.flatMap((object) => {
    if (object.kind !== "function" && object.kind !== "procedure") return [];
    const named = renamed.find((schema) => object.native[0]!.includes(`${schema}.`));
    return named === undefined ? [] : [namesText(object, named)];
  });
}

function isSelf(need: ObjectReference, object: SchemaObject): boolean {
  return referenceKey(need) === referenceKey(object);
}

/** Tables and views share their names, as do functions of all kinds. */
export function referenceKey({ kind, id }: ObjectReference): string {
  return `${NAME_SPACES[kind] ?? kind} ${tableKey(id)}`;
}

const NAME_SPACES: Partial<Record<ObjectReference["kind"], string>> = {
  table: "relation",
  "partitioned table": "relation",
  view: "relation",
  "materialized view": "relation",
  function: "routine",
  procedure: "routine",
  aggregate: "routine",
};
