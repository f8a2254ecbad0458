import { asMigrationError } from "../../core/error.ts";
import type { TablePlan } from "../../core/plan.ts";
import type { TableSchema } from "../../core/schema.ts";
import type { Partition } from "../../core/source.ts";
import { sourceSide, targetSide } from "./compared-side.ts";
import { type ComparedTable, compareTable } from "./compared-table.ts";
import { Confirmation } from "./confirm-candidates.ts";
import { differenceOf } from "./difference-of.ts";
import { findCandidates, type SeenRow } from "./find-candidates.ts";
import type { Settled } from "./followed-row.ts";
import { TableRepair } from "./repair-rows.ts";
import { drawSample, sampleTable } from "./sample-table.ts";
import { rowsOf, type ScannedTable, type Sides, scanTable } from "./scan-table.ts";
import type { Rereads } from "./state-reads.ts";
import { type TableTotals, totalTable } from "./total-table.ts";
import type { ValidationContext } from "./validation-context.ts";
import type { TableValidation, TableVerdict } from "./validation-observer.ts";

/** Compares one table. What is an error of it alone is its verdict; others are thrown. */
export async function validateTable(
  plan: TablePlan,
  target: TableSchema | undefined,
  context: ValidationContext,
): Promise<TableValidation> {
  const counts = new Counts();
  const startedMs = performance.now();
  const compared = target === undefined ? undefined : compareTable(plan, target, context);
  const notes = {
    losses: compared?.losses ?? [],
    uncompared: compared?.uncompared ?? [],
    missingColumns: compared?.missing ?? [],
  };
  const end = (part: Partial<TableValidation> & { readonly verdict: TableVerdict }): TableValidation => ({
    ...{ table: plan.source.id, target: plan.target.id, ...counts.all(), ...notes },
    ...{ seconds: (performance.now() - startedMs) / 1000, ...part },
  });
  if (compared === undefined) return end({ verdict: "missing" });
  if (compared.fault !== undefined) return end({ verdict: "not-compared", reason: compared.fault });
  const over = new AbortController();
  let totals: TableTotals | undefined;
  try {
    const signal = AbortSignal.any([context.signal, over.signal]);
    const sides = sidesOf(compared, context);
    // Both at once, so that the speed of the one that is faster is not taken for that of all.
    [totals] = await Promise.all([
      context.withTotals ? totalTable(compared, sides, { ...context, signal }) : undefined,
      compareRows(compared, { sides, counts }, { ...context, signal }),
    ]);
  } catch (error) {
    context.signal.throwIfAborted();
    const failed = asMigrationError(error);
    if (failed.scope !== "table" && failed.scope !== "record") throw error;
    return end({ verdict: "failed", error: failed });
  } finally {
    // When one side has failed, the other may still be at work.
    over.abort();
  }
  const isEqual = counts.isEqual && compared.missing.length === 0;
  return end({ verdict: isEqual ? "equal" : "different", ...(totals === undefined ? {} : { totals }) });
}

class Counts {
  source = 0;
  target = 0;
  missing = 0;
  extra = 0;
  different = 0;
  undecided = 0;
  /** Percent of the source's rows that were looked for; undefined for all. */
  sampled: number | undefined;

  get isEqual(): boolean {
    return this.missing + this.extra + this.different === 0;
  }

  all(): Pick<TableValidation, "rows" | "missing" | "extra" | "different" | "undecided" | "sampled"> {
    const { source, target, missing, extra, different, undecided, sampled } = this;
    return {
      ...{ rows: { source, target }, missing, extra, different, undecided },
      ...(sampled === undefined ? {} : { sampled }),
    };
  }
}

function sidesOf(table: ComparedTable, { sides: { source, target } }: ValidationContext): Sides {
  return { source: sourceSide(table, source.snapshot), target: targetSide(table, target.snapshot) };
}

async function compareRows(
  table: ComparedTable,
  { sides, counts }: { readonly sides: Sides; readonly counts: Counts },
  context: ValidationContext,
): Promise<void> {
  const { sample } = context;
  if (sample !== undefined && table.key !== undefined) {
    const partitions = await drawSample(sides.source, sample, context);
    if (partitions !== undefined) {
      counts.sampled = sample;
      await compareSample(table, { sides, partitions, counts }, context);
      return;
    }
  }
  const scanned = await scanTable(table, sides, context);
  counts.source = scanned.sides.source.sums.total;
  counts.target = scanned.sides.target.sums.total;
  if (scanned.differing.length === 0) return;
  const seen = findCandidates(table, scanned, context);
  const rereads = rereadsOf(scanned);
  using confirmation = new Confirmation(table, rereads, context);
  await confirm(table, { rereads, confirmation, seen, counts }, context);
  if (counts.undecided === 0) await confirmCounts(table, { confirmation, counts }, context);
}

interface Sample {
  readonly sides: Rereads["sides"];
  readonly partitions: readonly Partition[];
  readonly counts: Counts;
}

async function compareSample(
  table: ComparedTable,
  { sides, partitions, counts }: Sample,
  context: ValidationContext,
): Promise<void> {
  async function* seenRows(): AsyncGenerator<readonly SeenRow[]> {
    for await (const { rows, seen } of sampleTable(table, { sides, partitions }, context)) {
      counts.source += rows.source;
      counts.target += rows.target;
      if (seen.length > 0) yield seen;
    }
  }
  const rereads = { sides, choice: undefined, rows: Math.max(0, sides.source.table.estimatedRows) };
  using confirmation = new Confirmation(table, rereads, context);
  await confirm(table, { rereads, confirmation, seen: seenRows(), counts }, context);
}

interface RowsToConfirm {
  readonly rereads: Rereads;
  readonly confirmation: Confirmation;
  readonly seen: AsyncIterable<readonly SeenRow[]>;
  readonly counts: Counts;
}

/** Decides about rows that seemed to differ, and tells of those that do. */
async function confirm(
  table: ComparedTable,
  { rereads, confirmation, seen: all, counts }: RowsToConfirm,
  context: ValidationContext,
): Promise<void> {
  const { repairs } = context;
  using repair = repairs === undefined ? undefined : new TableRepair(table, { rereads, repairs }, context);
  for await (const seen of all) {
    await tell(table, { settled: confirmation.of(seen), rows: seen.length, counts, repair }, context);
  }
  const { waiting: rows } = confirmation;
  await tell(table, { settled: confirmation.rest(), rows, counts, repair }, context);
}

function rereadsOf(scanned: ScannedTable): Rereads {
  const { sides, hash, buckets, differing } = scanned;
  const { source, target } = sides;
  return {
    sides: { source: source.side, target: target.side },
    choice: { hash, buckets, wanted: differing },
    rows: rowsOf(scanned, differing),
  };
}

interface SettledRows {
  readonly settled: AsyncIterable<Settled>;
  /** How many are about to be settled. */
  readonly rows: number;
  readonly counts: Counts;
  readonly repair: TableRepair | undefined;
}

async function tell(
  table: ComparedTable,
  { settled: all, rows, counts, repair }: SettledRows,
  context: ValidationContext,
): Promise<void> {
  const { observer, withValues } = context;
  const { id } = table.plan.source;
  observer.settling(id, rows);
  for await (const settled of all) {
    if (settled.verdict === "undecided") counts.undecided++;
    if (settled.verdict !== "different") continue;
    const difference = differenceOf(table, settled, withValues);
    counts[difference.kind] += difference.rows;
    await observer.difference(difference, settled.candidate.lookup);
    await repair?.add(settled);
  }
  await repair?.flush();
  observer.settling(id, 0);
}

/** Rows that are there too often or too rarely, and are another whenever they are looked for. */
async function confirmCounts(
  table: ComparedTable,
  { confirmation, counts }: { readonly confirmation: Confirmation; readonly counts: Counts },
  { observer }: ValidationContext,
): Promise<void> {
  const surplus = await confirmation.surplus(counts.missing - counts.extra);
  if (surplus === undefined) counts.undecided++;
  if (surplus === undefined || surplus === 0) return;
  const kind = surplus > 0 ? "missing" : "extra";
  const rows = Math.abs(surplus);
  counts[kind] += rows;
  await observer.difference(
    { table: table.plan.source.id, kind, rows, key: undefined, columns: [] },
    undefined,
  );
}
