import type { Finding } from "../core/finding.ts";
import type { OtherWriter } from "../core/other-writer.ts";
import { displayTable, type TableId, tableKey } from "../core/schema.ts";
import type { Target } from "../core/target.ts";

/** How often the target is asked. What begins and ends in between is not seen. */
const ASKED_MS = 5_000;

export interface OtherWriterTelling {
  readonly target: Pick<Target, "otherWriters">;
  /** The target's ids. */
  readonly tables: readonly TableId[];
  readonly tell: (finding: Finding) => void;
}

/** Tells who else writes to tables of the target, once for each writer and table however often it is met. */
export class OtherWriters {
  readonly #told = new Set<string>();

  /** Looks until it is disposed. */
  watch({ target, tables, tell }: OtherWriterTelling, signal: AbortSignal): Disposable {
    const ending = new AbortController();
    const limited = AbortSignal.any([signal, ending.signal]);
    let isAsking = false;
    const ask = async (): Promise<void> => {
      // A server that does not answer is not asked again.
      if (isAsking) return;
      isAsking = true;
      try {
        const found = await target.otherWriters(tables, limited);
        if (limited.aborted) return;
        for (const writer of found) if (this.#isNew(writer)) tell(findingOf(writer));
      } catch {
        // A user who may not see who writes learns of none; that is not worth failing for.
      } finally {
        isAsking = false;
      }
    };
    void ask();
    const timer = setInterval(() => void ask(), ASKED_MS);
    return {
      [Symbol.dispose]: () => {
        clearInterval(timer);
        ending.abort();
      },
    };
  }

  #isNew({ table, user, address, application }: OtherWriter): boolean {
    const key = JSON.stringify([tableKey(table), user, address, application]);
    if (this.#told.has(key)) return false;
    this.#told.add(key);
    return true;
  }
}

function findingOf({ table, session, user, address, application }: OtherWriter): Finding {
  const more = [
    ...(application === null ? [] : [`application ${application}`]),
    ...(address === null ? [] : [`from ${address}`]),
    session,
  ];
  return {
    ...{ code: "target.foreign_writes", severity: "warning", subject: displayTable(table) },
    message: `The user ${user} writes to the target's table ${displayTable(table)} (${more.join(", ")}).`,
    remedy: "Keep others from writing to the target's tables until the application has moved there.",
  };
}
