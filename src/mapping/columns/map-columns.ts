import { type ColumnOrigin, type Mask, ordinaryColumn } from "../../core/plan.ts";
import type { Column, LogicalType } from "../../core/schema.ts";
import { dataTypeOf } from "../document/data-types.ts";
import type { ColumnChoice, Ruled } from "./column-choice.ts";
import type { ColumnFindings } from "./column-findings.ts";
import type { ColumnNames, NativeColumns } from "./native-columns.ts";
import { maskFault, mayOverflow, typeChange } from "./type-change.ts";

/** A column of the plan: on both sides, and where its values come from. */
export interface PlannedColumn {
  readonly source: Column;
  readonly target: Column;
  readonly origin: ColumnOrigin;
  /** The rule that makes it, or gives it its name; left out where none does. */
  readonly rule?: number;
  /** A rule makes it: the source has no such column. */
  readonly isMade?: true;
}

export interface MapColumns {
  readonly texts: NativeColumns;
  readonly findings: ColumnFindings;
}

interface NamedColumns extends MapColumns {
  readonly names: ColumnNames;
  /** Most bytes that come of a column's values, by ordinal; of all others they come whole. */
  readonly cuts: ReadonlyMap<number, number>;
}

/** What becomes of a generated column: its expression in the target's names; undefined: the source's values come. */
export type Computed = ReadonlyMap<number, string | undefined>;

/** The columns of the source's table that come, with what rules make of their names, types and values. */
export function mapColumns(
  choices: readonly ColumnChoice[],
  { computed, ...context }: Omit<NamedColumns, "names"> & { readonly computed: Computed },
): readonly PlannedColumn[] {
  tellDerived(choices, context);
  const names = new Map(choices.map((choice) => [choice.column.name, spokenName(choice)]));
  return choices
    .filter(({ comes }) => comes)
    .map((choice) => {
      const native = computed.get(choice.ordinal);
      const column =
        native === undefined
          ? mapColumn({ ...choice, column: ordinaryColumn(choice.column) }, { ...context, names })
          : computedColumn(choice, native);
      return choice.namedBy === undefined ? column : { ...column, rule: choice.namedBy };
    });
}

function computedColumn({ column, name, ordinal }: ColumnChoice, generated: string): PlannedColumn {
  return { source: column, target: { ...column, name, generated }, origin: { kind: "column", ordinal } };
}

/**
 * What becomes of the generated columns that come, by ordinal. One that the target cannot compute, or is not to, comes
 * with the source's values where it sends them; else it stays behind, and with it what is computed from it.
 */
export function settleComputed(
  choices: readonly ColumnChoice[],
  { texts, findings }: MapColumns,
): { readonly choices: readonly ColumnChoice[]; readonly computed: Computed } {
  const computed = new Map<number, string | undefined>();
  const names = new Map(choices.map((choice) => [choice.column.name, spokenName(choice)]));
  const gone = new Set<number>();
  for (let isSettled = false; !isSettled; ) {
    isSettled = true;
    for (const { column, comes, ordinal, type, mask } of choices) {
      const { generated, sends, name } = column;
      if (!comes || generated === undefined || gone.has(ordinal)) continue;
      const rule = type ?? mask;
      const native = rule === undefined ? texts.rewrite(generated, names) : undefined;
      if (native !== undefined || sends === true) {
        computed.set(ordinal, native);
        continue;
      }
      gone.add(ordinal);
      names.set(name, undefined);
      isSettled = false;
      if (rule !== undefined) {
        findings.impossible(rule.rule, `the source computes the column ${name} and does not send its values`);
      } else {
        const why =
          "it is computed from columns that stay behind or get another type, and its values are not sent";
        findings.leftOut(`The generated column ${name}`, why);
      }
    }
  }
  const left = choices.map((choice) => (gone.has(choice.ordinal) ? { ...choice, comes: false } : choice));
  return { choices: left, computed };
}

/** Warns of generated columns that may show what a masked one holds. */
function tellDerived(choices: readonly ColumnChoice[], { texts, findings }: MapColumns): void {
  const masked = new Set(choices.filter(({ mask }) => mask !== undefined).map(({ column }) => column.name));
  for (const { column, comes, mask } of choices) {
    const { name, generated } = column;
    if (!comes || mask !== undefined || generated === undefined || !texts.speaksOf(generated, masked))
      continue;
    const message = `The generated column ${name} is computed from a column that is masked, and may show what that holds.`;
    findings.add("mapping.mask_incomplete", "warning", message);
  }
}

/** A column's name in what is computed or checked on the target; undefined where that would be about other values. */
export function spokenName({ comes, column, name, type }: ColumnChoice): string | undefined {
  return comes && (type === undefined || type.said.kind === column.type.kind) ? name : undefined;
}

function mapColumn(choice: ColumnChoice, context: NamedColumns): PlannedColumn {
  const { findings } = context;
  const { column, name, ordinal, type, mask } = choice;
  const held = type?.said ?? column.type;
  const masked = mask === undefined ? {} : { mask: mask.said };
  if (mask !== undefined) checkMask(mask, { name: column.name, held, findings });
  const bytes = context.cuts.get(ordinal);
  const cut = bytes === undefined ? {} : { cut: bytes };
  const origin: ColumnOrigin = { kind: "column", ordinal, ...masked, ...cut };
  if (type === undefined) {
    return { source: column, target: { ...withDefault(column, context), name }, origin };
  }
  const target = retyped({ ...column, name }, type.said, findings);
  const change = typeChange(column.type, type.said);
  if (change === undefined) {
    const what = `values of the column ${column.name}, of the type ${column.nativeType}, cannot become ${dataTypeOf({ type: type.said })}`;
    findings.impossible(type.rule, what);
  }
  if (change === undefined || change === "as-is") return { source: column, target, origin };
  return {
    source: ruled(column, type.said),
    target,
    origin: {
      ...{ kind: "expression", ...masked },
      expression: { sql: change.sql, inputs: [{ kind: "column", ordinal }] },
    },
  };
}

interface MaskedColumn extends Pick<MapColumns, "findings"> {
  /** On the source. */
  readonly name: string;
  /** The type of the values that are masked. */
  readonly held: LogicalType;
}

function checkMask({ rule, said: mask }: Ruled<Mask>, { name, held, findings }: MaskedColumn): void {
  const fault = maskFault(mask, held);
  if (fault !== undefined) {
    findings.impossible(rule, `the column ${name} ${fault}; a rule change-data-type can give it room`);
  } else if (mayOverflow(mask, held)) {
    const message = `The mask of rule ${rule} can make numbers of the column ${name} larger than its type has room for, and the target refuses their rows.`;
    findings.add("mapping.mask_overflow", "warning", message);
  }
}

function withDefault(column: Column, { texts, names, findings }: NamedColumns): Column {
  const { default: value, ...rest } = column;
  const native = value === undefined ? undefined : texts.rewriteDefault(value, names);
  if (native !== undefined) return { ...rest, default: native };
  if (value !== undefined) {
    findings.leftOut(
      `The default of the column ${column.name}`,
      "it is computed from columns that do not come",
    );
  }
  return rest;
}

/** The target's column with another type: what was written for the old one goes, unless both are of one kind. */
function retyped(column: Column, type: LogicalType, findings: ColumnFindings): Column {
  const { name, nullable, comment, default: value, identity, collation } = column;
  const made: Column = {
    ...{ name, nullable, nativeType: "", type, typedByRule: true },
    ...(comment === undefined ? {} : { comment }),
  };
  if (column.type.kind !== type.kind) {
    const lost = identity === undefined ? "default" : "identity";
    if (value !== undefined || identity !== undefined) {
      findings.leftOut(`The ${lost} of the column ${name}`, "the column gets another type");
    }
    return made;
  }
  return {
    ...made,
    ...(value === undefined ? {} : { default: value }),
    ...(identity === undefined ? {} : { identity }),
    ...(collation === undefined ? {} : { collation }),
  };
}

/** How a column whose values rules make stands on the source's side of a plan. */
function ruled({ name, nullable }: Pick<Column, "name" | "nullable">, type: LogicalType): Column {
  return { name, nullable, type, nativeType: `${dataTypeOf({ type })} by table mappings` };
}

/** A column that a rule adds. */
export function addedColumn(name: string, type: LogicalType): Pick<PlannedColumn, "source" | "target"> {
  const source = ruled({ name, nullable: true }, type);
  return { source, target: { ...source, nativeType: "", typedByRule: true } };
}
