import { type ColumnOrigin, ordinaryColumn, type RowRules, type TablePlan } from "../../core/plan.ts";
import { type Column, displayTable, type TableSchema } from "../../core/schema.ts";
import { isLargeObject } from "../document/data-types.ts";
import { nameFault } from "../name-fault.ts";
import { needsBefore } from "../rows/row-needs.ts";
import { type ColumnChoice, chooseColumns } from "./column-choice.ts";
import { ColumnFindings } from "./column-findings.ts";
import { cutColumns, type LobLimit } from "./lob-cuts.ts";
import { addedColumns, beforeImages } from "./made-columns.ts";
import { mapColumns, type PlannedColumn, settleComputed } from "./map-columns.ts";
import { mapFilter } from "./map-filter.ts";
import { mapKey } from "./map-key.ts";
import { mapChecks, mapIndexes, type ReferredColumn, referredColumns } from "./map-parts.ts";
import type { NativeColumns } from "./native-columns.ts";
import type { RulesOfTable } from "./table-rules.ts";
import { checkTelling } from "./telling-rows.ts";
import { tellUnsentValues } from "./unsent-values.ts";

export interface MapTable {
  readonly rules: RulesOfTable;
  readonly texts: NativeColumns;
  /** Changes are going to be applied. */
  readonly replicates: boolean;
  /** Columns of large objects stay behind. */
  readonly lacksLobs: boolean;
  /** Undefined: all values come whole. */
  readonly limit: LobLimit | undefined;
}

/** What the rules make of a table, but for its own name and what its foreign keys refer to. */
export interface MappedTable extends Pick<TablePlan, "source" | "target" | "rows"> {
  /** Columns of the source's that come, by their names there. */
  readonly columns: ReadonlyMap<string, ReferredColumn>;
  /** Names on the target of all the source's columns that come. */
  readonly names: ReadonlyMap<string, string>;
  /** Names of columns that the target has not, or under another name. */
  readonly gone: ReadonlySet<string>;
  /** The target's columns have other names, types or numbers than the source's. */
  readonly isReshaped: boolean;
  readonly findings: ColumnFindings;
}

export function mapTable(reads: TableSchema, request: MapTable): MappedTable {
  const { rules, texts, replicates, lacksLobs, limit } = request;
  const findings = new ColumnFindings(reads.id);
  const chosen = chooseColumns(reads.columns, rules.columns);
  const wanted = lacksLobs ? withoutLobs(chosen, findings) : chosen;
  const { choices, computed } = settleComputed(wanted, { texts, findings });
  const cuts =
    limit === undefined ? NO_CUTS : cutColumns(choices, { reads, rules, texts, computed, limit, findings });
  const context = { choices, computed, cuts, texts, findings, reads };
  const columns = [
    ...mapColumns(choices, context),
    ...beforeImages(rules.images, context),
    ...addedColumns(rules.added, context),
  ];
  checkNames(columns, { reads, findings });
  const key = mapKey({ reads, choices, columns, rules: rules.keys, texts, replicates, findings });
  const filter = mapFilter(rules.filtering, reads, findings);
  const origins = columns.map(({ origin }) => origin);
  const asked = tellingBefore({
    reads: sending(reads, columns),
    columns: origins,
    ...(filter === undefined ? {} : { filter }),
    ...(limit?.refusesCuts === true && cuts.size > 0 ? { refusesCuts: true } : {}),
  });
  const rows: RowRules = asked.reads === reads ? asked : { ...asked, described: reads };
  if (replicates) {
    tellUnsentValues(rows, findings);
    checkTelling(columns, key.identity, findings);
  }
  const gone = new Set(
    choices.filter(({ column, comes, name }) => !comes || name !== column.name).map(nameOf),
  );
  return {
    source: {
      ...partsThatStay(reads, choices),
      columns: columns.map(({ source }) => source),
      ...key.identity,
    },
    target: {
      ...reads,
      columns: columns.map(({ target }, ordinal) => (key.isInKey(ordinal) ? notNull(target) : target)),
      ...key.identity,
      indexes: key.withKeys(mapIndexes(reads.indexes, context)),
      checks: mapChecks(reads.checks, context),
    },
    ...(filter === undefined && isIdentity(origins, reads) ? {} : { rows }),
    columns: referredColumns(choices),
    names: new Map(
      choices.flatMap(({ column, comes, name }) => (comes ? [[column.name, name] as const] : [])),
    ),
    gone,
    isReshaped:
      gone.size > 0 || columns.some(({ isMade, target }) => isMade === true || target.typedByRule === true),
    findings,
  };
}

const NO_CUTS: ReadonlyMap<number, number> = new Map();

/** No rule brings one back: DMS's SupportLobs is about all of a task. */
function withoutLobs(choices: readonly ColumnChoice[], findings: ColumnFindings): readonly ColumnChoice[] {
  return choices.map((choice) => {
    const { column, comes } = choice;
    if (!isLargeObject(column)) return choice;
    if (comes)
      findings.leftOut(`The column ${column.name}`, "it holds large objects, and SupportLobs is false");
    return { ...choice, comes: false };
  });
}

function nameOf({ column }: ColumnChoice): string {
  return column.name;
}

function notNull({ nullable: _nullable, ...column }: Column): Column {
  return { ...column, nullable: false };
}

/** Every row passes as it is. */
function isIdentity(origins: readonly ColumnOrigin[], { columns }: TableSchema): boolean {
  return (
    origins.length === columns.length &&
    origins.every(
      (origin, i) =>
        origin.kind === "column" &&
        origin.ordinal === i &&
        origin.mask === undefined &&
        origin.cut === undefined,
    )
  );
}

/** The source's table without the parts that are about columns that stay behind. */
function partsThatStay(reads: TableSchema, choices: readonly ColumnChoice[]): TableSchema {
  const coming = new Set(choices.filter(({ comes }) => comes).map(nameOf));
  const isWhole = (columns: readonly string[] | undefined): boolean =>
    columns === undefined || columns.every((name) => coming.has(name));
  return {
    ...reads,
    indexes: reads.indexes.filter((index) => isWhole(index.columns)),
    foreignKeys: reads.foreignKeys.filter((key) => isWhole(key.columns)),
  };
}

/** The source's table as it is read: generated columns whose values are needed are asked for like others. */
function sending(reads: TableSchema, columns: readonly PlannedColumn[]): TableSchema {
  const needed = new Set(
    columns.flatMap(({ origin, source }) => {
      if (origin.kind === "expression") {
        return origin.expression.inputs.flatMap((input) => ("ordinal" in input ? [input.ordinal] : []));
      }
      return source.generated === undefined ? [origin.ordinal] : [];
    }),
  );
  if (!reads.columns.some(({ generated }, ordinal) => generated !== undefined && needed.has(ordinal)))
    return reads;
  return {
    ...reads,
    columns: reads.columns.map((column, ordinal) => (needed.has(ordinal) ? ordinaryColumn(column) : column)),
  };
}

/** Where rules need more of the row before a change than its key, and the log has it, the table is read with all of it. */
function tellingBefore(rows: RowRules): RowRules {
  const { reads } = rows;
  if (reads.tellsBefore !== true || !needsBefore(rows)) return rows;
  return { ...rows, reads: { ...reads, rowIdentity: "full" } };
}

interface Naming {
  readonly reads: TableSchema;
  readonly findings: ColumnFindings;
}

function checkNames(columns: readonly PlannedColumn[], { reads, findings }: Naming): void {
  if (columns.length === 0) {
    findings.add(
      "mapping.column_unknown",
      "error",
      `Rules leave all columns of ${displayTable(reads.id)} behind.`,
    );
  }
  const origins = new Map<string, string[]>();
  for (const { target, source, rule, isMade } of columns) {
    const own = `the column ${source.name}`;
    const said = isMade === true ? `rule ${rule}` : rule === undefined ? own : `${own} by rule ${rule}`;
    const known = origins.get(target.name);
    if (known === undefined) origins.set(target.name, [said]);
    else known.push(said);
    const fault = rule === undefined ? undefined : nameFault(target.name);
    if (fault === undefined) continue;
    const message = `The target's name ${JSON.stringify(target.name)} for ${said} ${fault}.`;
    findings.add("mapping.column_name_invalid", "error", message);
  }
  for (const [name, from] of origins) {
    if (from.length === 1) continue;
    const message = `The name ${name} on the target is that of ${from.join(" and ")}.`;
    findings.add("mapping.column_clash", "error", message);
  }
}
