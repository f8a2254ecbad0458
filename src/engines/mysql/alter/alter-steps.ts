import type { TablePlan } from "../../../core/plan.ts";
import type { Column, TableSchema } from "../../../core/schema.ts";

/** What becomes of a table's columns, in target names. */
export interface ColumnSteps {
  readonly dropped: readonly string[];
  /** Columns that are called otherwise, or are of another type, or have other properties. */
  readonly changed: readonly { readonly from: string; readonly to: Column }[];
  /** Ordinals into the new plan's columns. */
  readonly added: readonly number[];
  /** Of those that an attempt before has added, which may have got no further. */
  readonly begun: readonly number[];
}

interface Sides {
  readonly from: TablePlan;
  readonly to: TablePlan;
}

/** Compares columns by the numbers that the source has given them; `present`: what the target has by now, by name. */
export function columnSteps({ from, to }: Sides, present: ReadonlySet<string>): ColumnSteps {
  const known = numbered(from.source);
  const now = numbered(to.source);
  const name = (plan: TablePlan, ordinal: number): string => plan.target.columns[ordinal]!.name;
  const renamedFrom = new Map<string, string>();
  const changed: { from: string; to: Column }[] = [];
  for (const [number, after] of now) {
    const before = known.get(number);
    if (before === undefined) continue;
    const [old, column] = [name(from, before.ordinal), to.target.columns[after.ordinal]!];
    const isSame = before.version === after.version && before.type === after.type && old === column.name;
    if (old !== column.name) renamedFrom.set(column.name, old);
    if (isSame) continue;
    // Where only the new name is there, this was done before.
    if (present.has(old) && (!present.has(column.name) || renamedFrom.get(column.name) === old)) {
      changed.push({ from: old, to: column });
    } else if (present.has(column.name)) changed.push({ from: column.name, to: column });
  }
  const dropped = [...known].flatMap(([number, { ordinal }]) => {
    if (now.has(number)) return [];
    const old = name(from, ordinal);
    const takenFrom = renamedFrom.get(old);
    // Another column has that name when this was done before.
    const isTaken = takenFrom !== undefined && !present.has(takenFrom);
    return present.has(old) && !isTaken ? [old] : [];
  });
  // Names of the target's that are free once this is done.
  const freed = new Set([
    ...dropped,
    ...changed.flatMap((one) => (one.from === one.to.name ? [] : [one.from])),
  ]);
  const fresh = [...now].flatMap(([number, { ordinal }]) => (known.has(number) ? [] : [ordinal]));
  const isThere = (ordinal: number): boolean => {
    const wanted = name(to, ordinal);
    return present.has(wanted) && !freed.has(wanted);
  };
  return {
    dropped,
    changed,
    added: fresh.filter((ordinal) => !isThere(ordinal)),
    begun: fresh.filter(isThere),
  };
}

interface NumberedColumn {
  readonly ordinal: number;
  readonly type: string;
  readonly version: string;
}

function numbered(source: TableSchema): ReadonlyMap<number, NumberedColumn> {
  const ordinals = new Map(source.columns.map(({ name }, ordinal) => [name, ordinal]));
  return new Map(
    source.shape!.columns.flatMap(({ number, name, type, version }) => {
      const ordinal = ordinals.get(name);
      return ordinal === undefined ? [] : [[number, { ordinal, type, version }] as const];
    }),
  );
}

/**
 * Whether columns take names that others give up, and are told apart by nothing else: after a crash it is not to be seen
 * whether that was done.
 */
export function tradesNames({ from, to }: Sides): boolean {
  const [known, now] = [numbered(from.source), numbered(to.source)];
  const renamed = [...now].flatMap(([number, { ordinal }]) => {
    const before = known.get(number);
    if (before === undefined) return [];
    const pair = { old: from.target.columns[before.ordinal]!.name, name: to.target.columns[ordinal]!.name };
    return pair.old === pair.name ? [] : [pair];
  });
  const given = new Set(renamed.map(({ old }) => old.toLowerCase()));
  return renamed.some(
    ({ old, name }) => old.toLowerCase() !== name.toLowerCase() && given.has(name.toLowerCase()),
  );
}
