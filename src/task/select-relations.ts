import { MigrationError } from "../core/error.ts";
import { errorTable } from "../core/error-table.ts";
import type { Finding } from "../core/finding.ts";
import {
  type Catalog,
  displayTable,
  type ObjectReference,
  type SchemaObject,
  type TableId,
  tableKey,
} from "../core/schema.ts";
import type { MigrationType, Source } from "../core/source.ts";
import type { TableMappings } from "../mapping/rules.ts";
import { isNamed, selectTables, takesViews } from "../mapping/selection.ts";
import { unmatchedSelections } from "../mapping/unmatched-rules.ts";

/** What of a source takes part in a task. */
export interface SelectedRelations {
  /** All tables that the source has, and its views where rules may select some. */
  readonly listed: readonly TableId[];
  readonly tables: readonly TableId[];
  readonly views: readonly TableId[];
  /** Selection rules that match nothing of the source. */
  readonly unmatched: readonly Finding[];
  /** Tables that rules select and that do not come. */
  readonly passing: readonly Finding[];
}

/**
 * Selects tables, and views whose rows are moved as those of tables. Throws `mapping.unsupported` for views in a task that
 * applies changes: a source tells of none of them.
 */
export async function selectRelations(
  source: Source,
  {
    mappings,
    type,
    known,
  }: { readonly mappings: TableMappings; readonly type: MigrationType; readonly known: ReadonlySet<string> },
  signal: AbortSignal,
): Promise<SelectedRelations> {
  const { systemSchemas = [] } = source;
  const tables = await source.listTables(signal);
  const matched = selectTables(tables, mappings);
  const isComing = comesFrom(source, { tables, mappings, known });
  const selected = matched.filter(isComing);
  const passing = matched.filter((id) => !isComing(id)).map(tablePassing);
  if (!takesViews(mappings)) {
    const unmatched = unmatchedSelections(mappings, { tables, views: undefined, systemSchemas });
    return { listed: tables, tables: selected, views: [], unmatched, passing };
  }
  if (type !== "full-load") {
    throw new MigrationError("mapping.unsupported", {
      message: `A selection rule takes views, which have rows but no changes; the task's migration type is ${type}.`,
      subject: "table-type",
      remedy: 'Use a task of the type full-load for views, and select "table" alone in this one.',
    });
  }
  const views = await source.listViews(signal);
  return {
    ...{ listed: [...tables, ...views], tables: selected, views: selectTables(views, mappings, "view") },
    ...{ unmatched: unmatchedSelections(mappings, { tables, views, systemSchemas }), passing },
  };
}

/**
 * Which of the tables that rules select come: a tool's own comes where a rule names it, or where it has come before. `known`:
 * keys of those.
 */
export function comesFrom(
  source: Pick<Source, "isPassing">,
  {
    tables,
    mappings,
    known,
  }: {
    readonly tables: readonly TableId[];
    readonly mappings: TableMappings;
    readonly known: ReadonlySet<string>;
  },
): (id: TableId) => boolean {
  return (id) => source.isPassing?.(id, tables) !== true || known.has(tableKey(id)) || isNamed(id, mappings);
}

function tablePassing(id: TableId): Finding {
  const code = "source.table_passing";
  return {
    ...{ code, severity: "info", subject: displayTable(id), table: id },
    message: `${displayTable(id)} is left out: by its name a tool that alters another table has made it.`,
    remedy: errorTable[code].remedy,
  };
}

/** What a task fails with, unless its settings let it wait for tables to come (`FailOnNoTablesCaptured`). */
export function nothingSelected(subject: string): Finding {
  return {
    ...{ code: "mapping.no_tables", severity: "error", subject },
    message: "The selection rules match no table of the source.",
    remedy: errorTable["mapping.no_tables"].remedy,
  };
}

/** Views of which the source says no columns: what they are made of is gone, or is not for everybody to read. */
export function viewsUnread(views: readonly TableId[], { tables }: Catalog): readonly Finding[] {
  const described = new Set(tables.map(({ id }) => tableKey(id)));
  return views
    .filter((id) => !described.has(tableKey(id)))
    .map((id) => ({
      ...{ code: "source.view_unreadable", severity: "error", subject: displayTable(id), table: id },
      message: `The view ${displayTable(id)} has no columns that the source tells of.`,
      remedy: errorTable["source.view_unreadable"].remedy,
    }));
}

/**
 * Objects without the views that come as tables, and without what is part of these; what needs one of them needs the
 * table.
 */
export function withoutViews(
  objects: readonly SchemaObject[],
  views: readonly TableId[],
): readonly SchemaObject[] {
  const keys = new Set(views.map(tableKey));
  const isView = ({ kind, id }: ObjectReference): boolean =>
    (kind === "view" || kind === "materialized view") && keys.has(tableKey(id));
  return objects
    .filter((object) => !isView(object) && (object.on === undefined || !keys.has(tableKey(object.on))))
    .map((object) => {
      const needs = object.needs.map((one) => (isView(one) ? { kind: "table" as const, id: one.id } : one));
      return { ...object, needs };
    });
}
