import { MigrationError } from "../core/error.ts";
import { describedTable, readTable, withTable } from "../core/plan.ts";
import { type TableId, tableKey } from "../core/schema.ts";
import { type Attempt, NotesLost, TablesUntold } from "./attempt.ts";
import { followNotes, SchemaNoted } from "./follow-notes.ts";
import { noteAlterations } from "./note-alterations.ts";
import { keptShape } from "./noted-tables.ts";

/** So many attempts in turn end as the notes went before they were read; the next goes on without them. */
const MOST_LOST = 2;

/** What a run of a task knows of the source's notes from one attempt to the next. */
export class NoteKeeping {
  /** Keys of tables that were found changed though the stream had told nothing of it. */
  readonly #untold = new Set<string>();
  #isTold = false;
  #isRefused = false;
  /** In turn. */
  #lost = 0;

  get untold(): ReadonlySet<string> {
    return this.#untold;
  }

  /** Has the source note schema changes, where the task follows them. */
  async begin(attempt: Attempt): Promise<Attempt> {
    const { spec, settings, source, statistics, notes, signal } = attempt;
    if (spec.type === "full-load" || !settings.followsAlteredTables) return attempt;
    const { kept, refused, findings } = await source.keepNotes({ makes: !this.#isRefused }, signal);
    this.#isRefused ||= refused;
    if (!this.#isTold) for (const finding of findings) statistics.finding(finding);
    this.#isTold = true;
    if (this.#lost === MOST_LOST) {
      this.#lost = 0;
      return attempt;
    }
    return kept ? describing({ ...attempt, notes: { ...notes, kept } }) : attempt;
  }

  /** Runs the changes up to where tables are altered: the target follows, and the next attempt goes on from there. */
  async follow<End>(attempt: Attempt, run: () => Promise<End>): Promise<End | "again"> {
    try {
      return await run();
    } catch (error) {
      if (error instanceof NotesLost) {
        this.#lost++;
        return "again";
      }
      this.#lost = 0;
      if (!(error instanceof SchemaNoted)) throw error;
      const { settings } = attempt;
      await (settings.validation.only ? noteAlterations : followNotes)(attempt, error.noted);
      return "again";
    }
  }

  /** Whether an attempt ended as tables are not what its stream has told: the next one takes them as they are. */
  isUntold({ notes }: Attempt, error: unknown): boolean {
    const tables = error instanceof TablesUntold ? error.tables : notes.followed ? changedTable(error) : [];
    const untold = tables.map(tableKey).filter((key) => !this.#untold.has(key));
    for (const key of untold) this.#untold.add(key);
    return untold.length > 0 || error instanceof TablesUntold;
  }
}

/** Whatever the journal is told of a table from now on, it keeps how the table is described. */
function describing(attempt: Attempt): Attempt {
  const tables = attempt.plan.tables.map((table) => {
    const own = describedTable(table);
    return own.shape === undefined ? table : withTable(table, { shape: keptShape(own, own.shape.place) });
  });
  return {
    ...attempt,
    plan: { ...attempt.plan, tables },
    streamRequest: { ...attempt.streamRequest, tables: tables.map(readTable) },
  };
}

function changedTable(error: unknown): readonly TableId[] {
  const isChanged = error instanceof MigrationError && error.code === "source.table_changed";
  return isChanged && error.table !== undefined ? [error.table] : [];
}
