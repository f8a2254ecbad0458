import type pg from "pg";
import { MigrationError } from "../../../core/error.ts";
import type { TablePlan } from "../../../core/plan.ts";
import { displayTable, type Sequence, type TableId, tableKey } from "../../../core/schema.ts";
import type { PreparedTable, PrepareMode, PrepareRequest, SchemaRequest } from "../../../core/target.ts";
import { goneBeforeReload } from "../../shared/catalog/table-misfit.ts";
import { identifier, qualified } from "../../shared/identifier.ts";
import { selectJson } from "../catalog/catalog-query.ts";
import { createSchema, createSequence, createTable, redefineSequence } from "../catalog/ddl.ts";
import { runNative } from "../catalog/native-ddl.ts";
import {
  checkColumns,
  findTables,
  hasVirtualColumns,
  ownRows,
  type TargetTable,
} from "../catalog/target-table.ts";
import { inTurn } from "../connection/in-turn.ts";
import { makeEarly } from "./make-objects.ts";
import { dropTable } from "./prepare-drop.ts";
import { clearTable } from "./prepare-empty.ts";

/*
 * What the server refuses is thrown as the driver has it: whoever lends the client knows the endpoint
 * and classifies.
 */

/** Sequences created in one transaction: each holds a lock, of which a server has some thousands. */
const SEQUENCES_AT_ONCE = 500;

/** Which of these tables are there. */
export async function existingTables(client: pg.Client, tables: readonly TableId[]): Promise<TableId[]> {
  return selectJson<TableId>(
    client,
    `select wanted.schema, wanted.name from unnest($1::text[], $2::text[]) as wanted(schema, name)
     join pg_namespace n on n.nspname = wanted.schema
     join pg_class c on c.relnamespace = n.oid and c.relname = wanted.name`,
    idArrays(tables),
  );
}

/**
 * Schemas, types, sequences and early objects that are not there yet. What is there stays as it is; a type
 * of another definition is `target.object_conflict`. Resolves with what could not be made.
 */
export async function prepareSchema(client: pg.Client, request: SchemaRequest): Promise<MigrationError[]> {
  const { schemas, sequences } = request.plan.target;
  const failures = await inTurn(client, async () => {
    // Even "if not exists" needs the privilege to create schemas, so it is asked for missing ones only.
    const present = await selectJson<{ name: string }>(
      client,
      "select nspname as name from pg_namespace where nspname = any($1::text[])",
      [schemas.map(({ name }) => name)],
    );
    const names = new Set(present.map(({ name }) => name));
    const missing = schemas.filter(({ name }) => !names.has(name));
    if (missing.length > 0) await client.query(missing.flatMap(createSchema).join(";\n"));
    return makeEarly(client, request);
  });
  const free = sequences.filter((sequence) => !sequence.internal);
  for (let at = 0; at < free.length; at += SEQUENCES_AT_ONCE) {
    const some = free.slice(at, at + SEQUENCES_AT_ONCE);
    await inTurn(client, async () => {
      const present = await presentSequences(client, some);
      const missing = some.filter(({ id }) => !present.has(tableKey(id)));
      if (missing.length > 0) await client.query(missing.map(createSequence).join(";\n"));
    });
  }
  return failures;
}

/**
 * Drops tables with columns of each other's row types, where they are there, in this order and in one transaction.
 * Resolves with all of them; throws like prepareTables().
 */
export async function dropRelated(
  client: pg.Client,
  requests: readonly PrepareRequest[],
): Promise<readonly PrepareRequest[]> {
  return inTurn(client, async () => {
    const existing = await findTables(
      client,
      requests.map(({ plan }) => plan.target.id),
    );
    for (const request of requests) {
      const there = existing.get(tableKey(request.plan.target.id));
      if (there !== undefined) await dropTable(client, there, request);
    }
    return requests;
  });
}

/**
 * Makes tables ready to be loaded, in one transaction: all of them, or none and the error is thrown.
 *
 * Throws `target.table_mismatch` for a table that is kept but cannot take the source's rows,
 * `target.table_in_use` for one that cannot be dropped or emptied because of other objects.
 */
export async function prepareTables(
  client: pg.Client,
  requests: readonly PrepareRequest[],
): Promise<readonly PreparedTable[]> {
  const migrated = new Set(requests[0]?.migration.tables.map(({ target }) => tableKey(target.id)));
  return inTurn(client, async () => {
    const existing = await findTables(
      client,
      requests.map(({ plan }) => plan.target.id),
    );
    const prepared: PreparedTable[] = [];
    const missing: PrepareRequest[] = [];
    for (const request of requests) {
      const { mode, plan } = request;
      const there = existing.get(tableKey(plan.target.id));
      if (there === undefined || mode === "drop-and-create") {
        if (there !== undefined) await dropTable(client, there, request);
        missing.push(request);
        prepared.push({ keepsRows: false });
        continue;
      }
      checkColumns(there, plan);
      if (mode === "truncate") {
        await clearTable(client, there, { plan, isMigrated: (id) => migrated.has(tableKey(id)) });
        prepared.push({ keepsRows: false });
      } else prepared.push({ keepsRows: await hasRows(client, there) });
    }
    if (missing.length > 0) await createTables(client, missing);
    return prepared;
  });
}

/** Empties a table that is to be loaded again. One that is not there is `target.table_mismatch`. */
export async function emptyTable(client: pg.Client, plan: TablePlan): Promise<void> {
  await inTurn(client, async () => {
    const existing = (await findTables(client, [plan.target.id])).get(tableKey(plan.target.id));
    if (existing === undefined) {
      throw goneBeforeReload(plan);
    }
    // The same rows come back, so it does not matter who refers to them.
    await clearTable(client, existing, { plan, isMigrated: () => true });
  });
}

/** In this order; those of one schema that follow each other in one script. */
async function createTables(client: pg.Client, requests: readonly PrepareRequest[]): Promise<void> {
  const owned = Map.groupBy(
    requests[0]!.migration.target.sequences.filter(({ ownedBy }) => ownedBy !== undefined),
    ({ ownedBy }) => tableKey(ownedBy!.table),
  );
  const sequencesOf = ({ plan }: PrepareRequest) => owned.get(tableKey(plan.target.id)) ?? [];
  const serials = requests.flatMap(sequencesOf).filter((sequence) => !sequence.internal);
  const present = await presentSequences(client, serials);
  const usesVirtual = requests.some(({ plan }) => plan.target.columns.some(({ virtual }) => virtual));
  const virtualColumns = usesVirtual && (await hasVirtualColumns(client));
  for (const some of runsOfSchemas(requests)) {
    const statements = some.flatMap((request) => {
      const [internal, serial] = [true, false].map((kind) =>
        sequencesOf(request).filter((sequence) => sequence.internal === kind),
      );
      return [
        ...serial!.flatMap((sequence) => serialStatement(sequence, present, request.mode)),
        ...createTable(request.plan.target, { sequences: internal!, virtualColumns }),
        ...serial!.flatMap((sequence) => ownerStatement(sequence, present)),
      ];
    });
    await runNative(client, some[0]!.plan.target.id.schema, statements);
  }
}

function runsOfSchemas(requests: readonly PrepareRequest[]): PrepareRequest[][] {
  const runs: PrepareRequest[][] = [];
  let last: string | undefined;
  for (const request of requests) {
    const { schema } = request.plan.target.id;
    if (schema === last) runs.at(-1)!.push(request);
    else runs.push([request]);
    last = schema;
  }
  return runs;
}

/** Some went with the dropped table, some are there from before, and prepareSchema created the others. */
function serialStatement(sequence: Sequence, present: Map<string, boolean>, mode: PrepareMode): string[] {
  if (!present.has(tableKey(sequence.id))) return [createSequence(sequence)];
  return mode === "drop-and-create" ? [redefineSequence(sequence)] : [];
}

/** A sequence that something else on the target owns stays with it; nor can one be owned across schemas. */
function ownerStatement({ id, ownedBy }: Sequence, present: Map<string, boolean>): string[] {
  if (ownedBy === undefined || ownedBy.table.schema !== id.schema) return [];
  if (present.get(tableKey(id)) === true) return [];
  const owner = `${qualified(ownedBy.table)}.${identifier(ownedBy.column)}`;
  return [`alter sequence ${qualified(id)} owned by ${owner}`];
}

/** Whether each sequence that is there has an owner. Throws when something else has its name. */
async function presentSequences(
  client: pg.Client,
  sequences: readonly Sequence[],
): Promise<Map<string, boolean>> {
  if (sequences.length === 0) return new Map();
  const rows = await selectJson<TableId & { readonly kind: string; readonly owned: boolean }>(
    client,
    `select wanted.schema, wanted.name, c.relkind as kind, exists (
       select from pg_depend where classid = 'pg_class'::regclass and objid = c.oid
         and refclassid = 'pg_class'::regclass and refobjsubid > 0 and deptype in ('a', 'i')) as owned
     from unnest($1::text[], $2::text[]) as wanted(schema, name)
     join pg_namespace n on n.nspname = wanted.schema
     join pg_class c on c.relnamespace = n.oid and c.relname = wanted.name`,
    idArrays(sequences.map(({ id }) => id)),
  );
  const other = rows.find(({ kind }) => kind !== "S");
  if (other !== undefined) {
    throw new MigrationError("target.object_conflict", {
      message: "A sequence is to be created, and something else on the target has its name.",
      subject: displayTable(other),
    });
  }
  return new Map(rows.map((row) => [tableKey(row), row.owned]));
}

async function hasRows(client: pg.Client, table: TargetTable): Promise<boolean> {
  const [row] = await selectJson<{ found: boolean }>(
    client,
    `select exists (select from ${ownRows(table)}) as found`,
  );
  return row!.found;
}

function idArrays(ids: readonly TableId[]): [string[], string[]] {
  return [ids.map(({ schema }) => schema), ids.map(({ name }) => name)];
}
