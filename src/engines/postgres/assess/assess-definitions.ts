import type pg from "pg";
import type { Finding } from "../../../core/finding.ts";
import type { TablePlan } from "../../../core/plan.ts";
import { displayTable, tableKey } from "../../../core/schema.ts";
import type { TargetAssessment } from "../../../core/target.ts";
import { finding } from "../../shared/finding.ts";
import { existingTables } from "../load/prepare.ts";

/** The server's own types, and since when servers have them. */
const LATER_TYPES: readonly (readonly [since: number, names: RegExp])[] = [
  [130_000, /^(?:xid8|pg_snapshot|regcollation)\b/],
  [140_000, /^(?:int4|int8|num|ts|tstz|date)multirange\b/],
];
const ANY_SCALE_SINCE = 150_000;

/** What an older server does not understand in an index or a constraint, and since when servers do. */
const LATER_WORDS: readonly (readonly [since: number, words: RegExp])[] = [
  [150_000, /\bNULLS NOT DISTINCT\b/],
  [180_000, /\bWITHOUT OVERLAPS\b/],
  [180_000, /\bNOT ENFORCED\b/],
];
const NO_PERIODS_BEFORE = 180_000;

/** What a target that is older than the source cannot make of tables: types and words that came later. */
export async function assessDefinitions(
  client: pg.Client,
  { plan, mode, prepared }: TargetAssessment,
  version: number,
): Promise<readonly Finding[]> {
  const kept = new Set(
    (
      await existingTables(
        client,
        plan.tables.map(({ target }) => target.id),
      )
    ).map(tableKey),
  );
  const made = plan.tables.filter(({ source, target }) => {
    const isDropped = mode === "drop-and-create" && !prepared.has(tableKey(source.id));
    return isDropped || !kept.has(tableKey(target.id));
  });
  return made.flatMap((table) => [...typesLacking(table, version), ...wordsUnknown(table, version)]);
}

function isLater(nativeType: string, version: number): boolean {
  const since = LATER_TYPES.find(([, names]) => names.test(nativeType))?.[0] ?? 0;
  return version < since || (version < ANY_SCALE_SINCE && isOfOtherScale(nativeType));
}

/** Digits after the point that are fewer than none, or more than all. */
function isOfOtherScale(name: string): boolean {
  const [, precision, scale] = /^numeric\((\d+),(-?\d+)\)/.exec(name) ?? [];
  return scale !== undefined && (Number(scale) < 0 || Number(scale) > Number(precision));
}

function typesLacking({ source, target }: TablePlan, version: number): readonly Finding[] {
  return target.columns
    .filter(({ nativeType }) => isLater(nativeType, version))
    .map(({ name, nativeType }) =>
      finding("target.object_failed", "error", {
        subject: displayTable(target.id),
        table: source.id,
        message: `The column ${name} of ${displayTable(target.id)} has the type ${nativeType}, which the target's server does not have.`,
        remedy:
          "Use a target of the source's version, give the column another type by a rule (change-data-type), or leave it out (remove-column).",
      }),
    );
}

function wordsUnknown({ source, target }: TablePlan, version: number): readonly Finding[] {
  const parts = [
    ...[...target.indexes, ...target.checks].map(({ name, native }) => ({ name, native, period: false })),
    ...target.foreignKeys.map(({ name, native, period = false }) => ({ name, native, period })),
  ];
  return parts.flatMap(({ name, native, period }) => {
    const words = LATER_WORDS.flatMap(([since, known]) =>
      version < since ? (known.exec(native) ?? []) : [],
    );
    if (period && version < NO_PERIODS_BEFORE) words.push("PERIOD");
    if (words.length === 0) return [];
    return [
      finding("target.object_failed", "warning", {
        subject: displayTable(target.id),
        table: source.id,
        message: `${name} of ${displayTable(target.id)} is ${words.join(" and ")}, which the target's server does not know: it is not made, and the table is set aside when it is to be.`,
        remedy:
          "Use a target of the source's version, or make an index or a constraint there that serves in its place.",
      }),
    ];
  });
}
