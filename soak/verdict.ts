import type pg from "pg";
import { displayTable, type TableId } from "../src/core/schema.ts";
import { compareDatabases, listUserTables, type TableDifference } from "../test/support/compare.ts";
import { compareSchemas } from "../test/support/compare-schemas.ts";
import { SCHEMAS } from "./migration.ts";
import { compareRuled, RULED_SCHEMA } from "./ruled.ts";
import type { World } from "./world.ts";

export interface Verdict {
  readonly tables: number;
  readonly rows: number;
  /** Rows that the target refuses, and that are recorded there. */
  readonly refused: number;
  /** What differs, with counts and without values; empty when nothing does. */
  readonly problems: readonly string[];
}

/** More differing rows of a table than so many are not counted. */
const MOST_COUNTED = 1000;

/** Compares every row, every definition and every sequence, and looks for changes that met a conflict. */
export async function compare({ source, target }: World): Promise<Verdict> {
  const clients = {
    source: await source.server.connect(source.database),
    target: await target.server.connect(target.database),
  };
  try {
    const tables = await tablesOf(clients.source);
    const rows = await compareDatabases({ ...clients, tables, limit: MOST_COUNTED });
    const made = new Set(tables.map(displayTable));
    const extra = (await tablesOf(clients.target)).filter((id) => !made.has(displayTable(id)));
    const ruled = await compareRuled(clients);
    const conflicts = await readConflicts(clients.target);
    const definitions = await compareSchemas({ ...clients, schemas: SCHEMAS });
    return {
      tables: rows.tables,
      rows: rows.rows + ruled.rows,
      refused: ruled.refused,
      problems: [
        ...ruled.problems,
        ...rows.differences.map(describe),
        ...extra.map((id) => `${displayTable(id)} is on the target only`),
        ...conflicts,
        ...definitions.onlySource.map((fact) => `on the source only: ${fact}`),
        ...definitions.onlyTarget.map((fact) => `on the target only: ${fact}`),
      ],
    };
  } finally {
    await Promise.allSettled([clients.source.end(), clients.target.end()]);
  }
}

/** All but those that go through rules. */
async function tablesOf(side: pg.Client): Promise<readonly TableId[]> {
  return (await listUserTables(side)).filter(({ schema }) => schema !== RULED_SCHEMA);
}

function describe(found: TableDifference): string {
  const parts = (["missing", "extra", "different", "repeated"] as const).flatMap((kind) => {
    const { length } = found[kind];
    return length === 0 ? [] : [`${length === MOST_COUNTED ? "at least " : ""}${length} ${kind}`];
  });
  const counts = `${found.sourceRows} rows on the source, ${found.targetRows} on the target`;
  return `${displayTable(found.table)}: ${found.problem ?? [counts, ...parts].join("; ")}`;
}

/** Changes that found no row, or a row in the way: none, when each is applied once and in order. */
async function readConflicts(client: pg.Client): Promise<readonly string[]> {
  const { rows } = await client.query<{ id: TableId; count: number; error: string }>(
    `select json_build_object('schema', "TABLE_OWNER", 'name', "TABLE_NAME") as id,
            count(*)::int as count, min("ERROR") as error
       from public.awsdms_apply_exceptions where "TABLE_OWNER" <> '${RULED_SCHEMA}' group by "TABLE_OWNER", "TABLE_NAME" order by 2 desc`,
  );
  return rows.map(({ id, count, error }) => `${displayTable(id)}: ${count} conflicts, such as: ${error}`);
}
