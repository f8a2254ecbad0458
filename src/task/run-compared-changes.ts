import { failpoint } from "../base/failpoint.ts";
import type { ChangeBatch } from "../core/change-batch.ts";
import type { Position } from "../core/position.ts";
import { tableKey } from "../core/schema.ts";
import { TableRules } from "../pipeline/apply-modes.ts";
import { ChangeApply } from "../pipeline/change-apply.ts";
import type { CountedChanges } from "../pipeline/counted-changes.ts";
import { mappedChanges } from "../pipeline/mapped-changes.ts";
import { type Attempt, NotesLost } from "./attempt.ts";
import { BringingTasks } from "./bringing-tasks.ts";
import { catchUp, replicate, streamOf } from "./change-run.ts";
import { startPosition } from "./change-start.ts";
import { ComparedStream } from "./compared-stream.ts";
import { noteFilter } from "./follow-notes.ts";
import { NotingApplier } from "./noting-applier.ts";
import { publishNew } from "./publish-new.ts";
import { publishedTables } from "./run-load.ts";
import { rememberTables, SchemaWatch } from "./run-schema-changes.ts";
import { noteStart } from "./start-note.ts";
import type { TaskStatistics } from "./statistics.ts";
import { type ChangeControl, Steering } from "./steering.ts";
import type { StopReason } from "./task.ts";
import { ValueFindings } from "./tell-values.ts";

/**
 * Follows the source's changes to compare the rows that they concern, for a task that only compares, until something ends it.
 * Nothing is applied: where a row was noted before the journal has the place of its change, a crash leaves a table that is to be
 * compared whole again.
 */
export async function runComparedChanges(attempt: Attempt, control: ChangeControl): Promise<StopReason> {
  const { source, plan, journal, statistics, validation: book, signal } = attempt;
  if (book === undefined) throw new Error("A task that only compares has a book of comparisons.");
  const after = await startPosition(attempt);
  // What is set aside is not compared, and nothing has to be left out for it.
  const rules = new TableRules(source.positions, () => false);
  await rememberTables(attempt);
  await book.begin(attempt);
  await publishNew(attempt, book);
  const takes = attempt.notes.kept ? noteFilter(attempt, rules, () => true) : undefined;
  const asked = streamOf(attempt, { after, control, encodings: ["text"], takes });
  await using given = await source.openChangeStream(asked, signal);
  if (given.lacksNotes === true) throw new NotesLost();
  const mapped = plan.tables.filter(({ source: { id } }) => !attempt.refused.has(tableKey(id)));
  const stream = new ComparedStream(mappedChanges(given, mapped), (table) =>
    book.changedSomewhere(table, journal, signal),
  );
  const save = (position: Position): Promise<void> => journal.setAppliedPosition(position, signal);
  await using applier = new NotingApplier(save);
  statistics.counted.begin(source.positions);
  const apply = new ChangeApply({
    ...{ stream, applier, rules, saveIdle: save, truncates: "carry-out" },
    ...{ observer: statistics, counted: countingSent(statistics), watch: book.watch(attempt) },
  });
  const watch = new SchemaWatch(attempt);
  const values = new ValueFindings(attempt, [stream, statistics]);
  const bringers = new BringingTasks(attempt, book);
  await using steering = new Steering({
    ...{ attempt, apply, applier, rules, control, watch, values, reloads: new Set(), bringers },
  });
  const ended = async (reason: StopReason): Promise<StopReason> => {
    await watch.check({ takesNew: true, signal: steering.signal });
    await source.checkStream(publishedTables(attempt), steering.signal);
    await steering.comparesRest();
    statistics.setPhase("stopping");
    failpoint("task.drained");
    return reason;
  };
  await noteStart(attempt);
  statistics.setCheckpoint(after.text);
  if (control.stopRequested) return "NORMAL";
  const run = { attempt, control, apply, steering, ended };
  return (await catchUp(run)) ?? (await replicate(run));
}

/** Changes are counted as the source's; none waits to be applied. */
function countingSent(statistics: TaskStatistics): Pick<CountedChanges, "tell"> {
  const { counted } = statistics;
  return {
    tell: (batch: ChangeBatch, modes: Uint8Array | undefined) =>
      counted.tell(batch, modes, {
        taken: () => undefined,
        captured: (counts) => statistics.captured(counts),
        valuesCut: (table, count) => statistics.valuesCut(table, count),
      }),
  };
}
