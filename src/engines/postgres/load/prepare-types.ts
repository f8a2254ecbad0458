import type pg from "pg";
import { MigrationError } from "../../../core/error.ts";
import { displayTable, tableKey, type UserType } from "../../../core/schema.ts";
import type { ObjectOutcome, SchemaRequest } from "../../../core/target.ts";
import { selectJson } from "../catalog/catalog-query.ts";
import { readTypes } from "../catalog/catalog-types.ts";
import { createType } from "../catalog/ddl.ts";
import { runNative } from "../catalog/native-ddl.ts";
import { labelStatements } from "./alter-enum.ts";

/** What the target has under a type's name: a type of a known kind, or something else. */
export type Present = UserType | "other";

export interface WantedType extends Pick<SchemaRequest, "isBegun"> {
  readonly type: UserType;
  readonly there: Present | undefined;
}

/**
 * Creates a type that is not there. One that is there must be the same, else `target.object_conflict`; an enum of a task
 * that has begun gets labels that it lacks. In the client's transaction.
 */
export async function makeType(
  client: pg.Client,
  { type, there, isBegun = false }: WantedType,
): Promise<ObjectOutcome> {
  if (there !== undefined) {
    if (isBegun && type.kind === "enum" && there !== "other" && there.kind === "enum") {
      // A label that was renamed waits for its place in the stream; one more does no harm before.
      const isLonger = there.labels.every((label) => type.labels.includes(label));
      for (const sql of isLonger ? labelStatements(type, there.labels) : []) await client.query(sql);
      return "kept";
    }
    if (!(await isSame(client, type, there))) throw conflict(type);
    return "kept";
  }
  await runNative(client, type.id.schema, createType(type));
  return "made";
}

/** By key of the type's name. */
export async function presentTypes(
  client: pg.Client,
  types: readonly UserType[],
): Promise<Map<string, Present>> {
  const wanted = [types.map(({ id }) => id.schema), types.map(({ id }) => id.name)];
  const rows = await selectJson<{ oid: string; schema: string; name: string }>(
    client,
    `select t.oid, n.nspname as schema, t.typname as name
     from unnest($1::text[], $2::text[]) as wanted(schema, name)
     join pg_namespace n on n.nspname = wanted.schema
     join pg_type t on t.typnamespace = n.oid and t.typname = wanted.name`,
    wanted,
  );
  const found = new Map<string, Present>();
  for (const { schema, name } of rows) found.set(tableKey({ schema, name }), "other");
  // The server takes longer to plan what comes than for all else that makes one table ready.
  if (rows.length === 0) return found;
  const oids = rows.map(({ oid }) => oid);
  const { user } = await readTypes(client, "select unnest($1::oid[])", [oids]);
  for (const type of user) {
    if (found.has(tableKey(type.id))) found.set(tableKey(type.id), type);
  }
  return found;
}

async function isSame(client: pg.Client, type: UserType, there: Present): Promise<boolean> {
  if (there === "other" || there.kind !== type.kind) return false;
  if (type.kind === "enum") {
    return (
      type.labels.length === there.labels.length && type.labels.every((label, i) => label === there.labels[i])
    );
  }
  return type.native === there.native || (await normalized(client, type)) === there.native;
}

const SCRATCH_NAME = "tideway_compared_type";

/**
 * Servers of different versions write the same expression differently, so the target is asked how it
 * would write the source's: the type is created under another name and rolled back.
 */
async function normalized(client: pg.Client, type: UserType): Promise<string | undefined> {
  const id = { schema: type.id.schema, name: SCRATCH_NAME };
  await client.query("savepoint comparison");
  await runNative(client, id.schema, createType({ ...type, id }));
  const { user } = await readTypes(
    client,
    `select t.oid from pg_type t join pg_namespace n on n.oid = t.typnamespace
     where n.nspname = $1 and t.typname = $2`,
    [id.schema, id.name],
  );
  await client.query("rollback to savepoint comparison");
  return user.find((other) => tableKey(other.id) === tableKey(id))?.native;
}

function conflict(type: UserType): MigrationError {
  return new MigrationError("target.object_conflict", {
    message: `The target has a type of the name of this ${type.kind}, with another definition.`,
    subject: displayTable(type.id),
  });
}
