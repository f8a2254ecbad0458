import type { Mask, TablePlan } from "../../core/plan.ts";
import { textCut } from "./cuts.ts";
import { readOrdinals } from "./row-needs.ts";

/** What becomes of a column's cells as they are read. */
export const Action = {
  /** Kept until something is made of them. */
  hold: 0,
  /** Copied as they are, escapes included. */
  pass: 1,
  /** Copied with every digit masked. */
  digits: 2,
  randomDigits: 3,
  /** Kept and copied. */
  holdAndPass: 4,
  hash: 5,
} as const;
export type Action = (typeof Action)[keyof typeof Action];

/** Of a column that was kept. */
export interface HeldCell {
  readonly kind: "held";
  readonly place: number;
  readonly mask: Mask | undefined;
  /** Most bytes of its value that come; 0 for all. */
  readonly limit: number;
}

/** A cell that is written when those that it is made of have been read. */
export type MadeCell =
  | { readonly kind: "null" }
  | HeldCell
  /** The result of an expression, by its number among the plan's expressions. */
  | { readonly kind: "result"; readonly result: number };

/**
 * How rows of the plan are written while the source's are read. Columns that are read have places, 0 and up, in the order of
 * `ordinals`. Most of them come when it is their turn in the plan, and are never kept.
 */
export interface BulkProgram {
  /** What is read: ordinals into the source's own columns. */
  readonly ordinals: readonly number[];
  /** Action of each place. */
  readonly actions: Uint8Array;
  /** Most bytes that come of each place's value when it is its turn; 0 for all. */
  readonly limits: Float64Array;
  /** 1 for each place whose cell passes, and that of the next place right after it. */
  readonly runs: Uint8Array;
  /** What is written before each place's cell, and, last, at the end of the row. */
  readonly before: readonly (readonly MadeCell[])[];
}

export function bulkProgram(plan: TablePlan): BulkProgram {
  const ordinals = readOrdinals(plan);
  const places = new Map(ordinals.map((ordinal, place) => [ordinal, place]));
  const outputs = outputsOf(plan, places);
  const actions = new Uint8Array(ordinals.length);
  const limits = new Float64Array(ordinals.length);
  const before: MadeCell[][] = [];
  let next = 0;
  const made = (place: number): MadeCell[] => {
    const cells: MadeCell[] = [];
    while (next < outputs.length && outputs[next]!.last < place) cells.push(outputs[next++]!.cell);
    return cells;
  };
  for (let place = 0; place < ordinals.length; place++) {
    before.push(made(place));
    const cell = outputs[next]?.cell;
    if (cell?.kind !== "held" || cell.place !== place) continue;
    const action = streamed(cell.mask);
    // What a later output needs is kept all the same.
    const isNeeded = outputs.slice(next + 1).some((other) => other.inputs.includes(place));
    if (isNeeded && action !== Action.pass) continue;
    actions[place] = isNeeded ? Action.holdAndPass : action;
    limits[place] = cell.limit;
    next++;
  }
  before.push(made(ordinals.length));
  const runs = actions.map((action, place) => {
    const isRun = action === Action.pass && actions[place + 1] === Action.pass;
    const isLimited = limits[place]! > 0 || limits[place + 1]! > 0;
    return isRun && !isLimited && before[place + 1]!.length === 0 ? 1 : 0;
  });
  return { ordinals, actions, limits, runs, before };
}

const NULL: MadeCell = { kind: "null" };

interface Output {
  readonly cell: MadeCell;
  /** Places that it is made of, and the last of them; -1 for none. */
  readonly inputs: readonly number[];
  readonly last: number;
}

function outputsOf(plan: TablePlan, places: ReadonlyMap<number, number>): readonly Output[] {
  const { source, rows } = plan;
  const allInputs = new Set<number>();
  for (const origin of rows!.columns) {
    if (origin.kind !== "expression") continue;
    for (const input of origin.expression.inputs) {
      if (input.kind === "column") allInputs.add(places.get(input.ordinal)!);
    }
  }
  let result = 0;
  return rows!.columns.flatMap((origin, i): Output | readonly Output[] => {
    // All expressions are evaluated at once.
    const own = origin.kind === "expression" ? result++ : -1;
    if (source.columns[i]!.generated !== undefined) return [];
    if (origin.kind === "before") return { cell: NULL, inputs: [], last: -1 };
    if (origin.kind === "column") {
      const place = places.get(origin.ordinal)!;
      const limit = textCut(origin, plan) ?? 0;
      return { cell: { kind: "held", place, mask: origin.mask, limit }, inputs: [place], last: place };
    }
    return {
      cell: { kind: "result", result: own },
      inputs: [...allInputs],
      last: Math.max(-1, ...allInputs),
    };
  });
}

function streamed(mask: Mask | undefined): Action {
  if (mask === undefined) return Action.pass;
  if (mask.kind === "hash") return Action.hash;
  return mask.kind === "digits" ? Action.digits : Action.randomDigits;
}
