import type pg from "pg";
import { MigrationError } from "../../../core/error.ts";
import { displayObject, displayTable, type SchemaObject, tableKey } from "../../../core/schema.ts";
import type { MakeObjects, ObjectOutcome, SchemaRequest } from "../../../core/target.ts";
import { readOnly } from "../catalog/catalog-query.ts";
import { runNative } from "../catalog/native-ddl.ts";
import { maySilenceTriggers } from "../catalog/trigger-privilege.ts";
import { errorCode } from "../connection/error-code.ts";
import { classify, isOwnFault } from "../connection/errors.ts";
import { presentTextSearch, type TextSearchDefinitions, textSearchConflict } from "./prepare-text-search.ts";
import { makeType, presentTypes } from "./prepare-types.ts";

/** Duplicate object, function, relation: somebody has made it already, this task before a crash perhaps. */
const THERE = new Set(["42710", "42723", "42P07"]);
/** A type, function, relation, schema, column or unique key that the statement names is not there, or not yet. */
const MISSING = new Set(["42704", "42883", "42P01", "3F000", "42703", "42830"]);

/** Makes one thing within a savepoint of the client's transaction. */
interface Piece {
  readonly subject: string;
  make(): Promise<ObjectOutcome>;
}

/** Types and the objects that tables need, in the client's transaction. Resolves with what could not be made. */
export async function makeEarly(
  client: pg.Client,
  { plan, replace, isBegun = false }: SchemaRequest,
): Promise<MigrationError[]> {
  const { types, objects } = plan.target;
  const present = await presentTypes(client, types);
  const early = objects.filter(({ stage }) => stage === "before-tables");
  const textSearch = await presentTextSearch(client, early);
  await client.query("set local check_function_bodies = off");
  const pieces: Piece[] = [
    ...early.map((object) => objectPiece(client, object, { textSearch, replace })),
    ...types.map((type) => ({
      subject: displayTable(type.id),
      make: () => makeType(client, { type, there: present.get(tableKey(type.id)), isBegun }),
    })),
  ];
  const outcomes = await inRounds(pieces, (piece) => inSavepoint(client, piece));
  return outcomes.filter((outcome) => outcome instanceof MigrationError);
}

/** Each in a transaction of its own: a materialized view may take long to be filled. */
export async function makeObjects(client: pg.Client, request: MakeObjects): Promise<ObjectOutcome[]> {
  const { objects, replicates, replace } = request;
  const silent = !replicates || (await maySilenceTriggers(client));
  const parameters = parametersOfParents(objects);
  const textSearch = await readOnly(client, () => presentTextSearch(client, objects));
  const withParent = new Set([...parameters.values()].flat());
  const outcomes = new Map<SchemaObject, ObjectOutcome>();
  const alone = objects.filter((object) => !withParent.has(object));
  const made = await inRounds(alone, async (object) => {
    if (replicates && actsOnChanges(object, silent)) return "waits";
    await client.query("begin; set local check_function_bodies = off");
    const outcome = await inSavepoint(client, objectPiece(client, object, { textSearch, replace }));
    const its = object.kind === "partitioned table" ? parameters.get(tableKey(object.id)) : undefined;
    for (const parameter of its ?? []) {
      const piece = objectPiece(client, parameter, { textSearch, replace: false });
      outcomes.set(parameter, outcome === "made" ? await inSavepoint(client, piece) : "kept");
    }
    await client.query("commit");
    return outcome;
  });
  for (const [i, object] of alone.entries()) outcomes.set(object, made[i]!);
  return objects.map((object) => outcomes.get(object)!);
}

/**
 * By the key of the partitioned table that they are set on. Made together with it or not at all: afterwards
 * nobody could tell one that the task has made from one that was there.
 */
function parametersOfParents(objects: readonly SchemaObject[]): ReadonlyMap<string, SchemaObject[]> {
  const parents = new Set(
    objects.filter(({ kind }) => kind === "partitioned table").map(({ id }) => tableKey(id)),
  );
  const parameters = objects.filter(({ kind, on }) => {
    return kind === "table parameter" && on !== undefined && parents.has(tableKey(on));
  });
  return Map.groupBy(parameters, ({ on }) => tableKey(on!));
}

/** Where triggers cannot be switched off for the session that applies changes, none must be there. */
function actsOnChanges({ kind, acts }: SchemaObject, silent: boolean): boolean {
  return acts === true || (!silent && (kind === "trigger" || kind === "rule"));
}

/**
 * One after the other, then again those that found something missing, as long as that helps: what the
 * server has not recorded, such as the tables that a function's text names, may still be needed.
 */
async function inRounds<Item>(
  items: readonly Item[],
  make: (item: Item) => Promise<ObjectOutcome>,
): Promise<ObjectOutcome[]> {
  const outcomes = new Map<Item, ObjectOutcome>();
  for (let waiting = items; waiting.length > 0; ) {
    const left: Item[] = [];
    for (const item of waiting) {
      const outcome = await make(item);
      outcomes.set(item, outcome);
      if (outcome instanceof MigrationError && MISSING.has(outcome.nativeCode ?? "")) left.push(item);
    }
    if (left.length === waiting.length) break;
    waiting = left;
  }
  return items.map((item) => outcomes.get(item)!);
}

async function inSavepoint(client: pg.Client, { subject, make }: Piece): Promise<ObjectOutcome> {
  await client.query("savepoint piece");
  try {
    const outcome = await make();
    await client.query("release savepoint piece");
    return outcome;
  } catch (thrown) {
    if (thrown instanceof MigrationError) throw thrown;
    const code = errorCode(thrown);
    const error = classify(thrown, { side: "target", phase: "build", subject });
    if (code === undefined || !(isOwnFault(error) || THERE.has(code))) throw error;
    await client.query("rollback to savepoint piece; release savepoint piece");
    if (THERE.has(code)) return "kept";
    return new MigrationError("target.object_not_made", {
      message: `${subject} could not be made. ${error.message}`,
      subject,
      nativeCode: code,
    });
  }
}

interface PieceOptions {
  /** What was there before any was made. */
  readonly textSearch: TextSearchDefinitions;
  readonly replace: boolean;
}

function objectPiece(client: pg.Client, object: SchemaObject, { textSearch, replace }: PieceOptions): Piece {
  return {
    subject: `${object.kind} ${displayObject(object)}`,
    make: async () => {
      const conflict = textSearchConflict(object, textSearch);
      // What a table needs is refused like a type; the rest is told.
      if (conflict !== undefined && object.stage === "before-tables") throw conflict;
      if (conflict !== undefined) return conflict;
      await runNative(client, object.id.schema, statements(object, replace));
      return "made";
    },
  };
}

const REPLACEABLE = /^create (?=function |procedure |aggregate )/u;

function statements({ native: [first = "", ...others] }: SchemaObject, replace: boolean): string[] {
  return [replace ? first.replace(REPLACEABLE, "create or replace ") : first, ...others];
}
