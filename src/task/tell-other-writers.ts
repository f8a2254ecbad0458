import type { Finding } from "../core/finding.ts";
import type { OtherWriter } from "../core/other-writer.ts";
import { displayTable, type TableId, tableKey } from "../core/schema.ts";
import type { Target } from "../core/target.ts";

/** How often the target is asked: what a server shows of a statement goes with the session's next one. */
const ASKED_MS = 1_000;

export interface OtherWriterTelling {
  readonly target: Pick<Target, "watchWriters">;
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
    const writers = target.watchWriters(tables);
    let isAsking = false;
    const ask = async (): Promise<void> => {
      // A server that does not answer is not asked again.
      if (isAsking) return;
      isAsking = true;
      try {
        const found = await writers.look(limited);
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

  /** Transactions that are prepared have names, by which each is to be found and ended. */
  #isNew({ table, prepared, user, address, application }: OtherWriter): boolean {
    const key = JSON.stringify([tableKey(table), prepared, user, address, application]);
    if (this.#told.has(key)) return false;
    this.#told.add(key);
    return true;
  }
}

function findingOf(writer: OtherWriter): Finding {
  const { table } = writer;
  return {
    ...{ code: "target.foreign_writes", severity: "warning", subject: displayTable(table) },
    message: messageOf(writer),
    remedy: "Keep others from writing to the target's tables until the application has moved there.",
  };
}

function messageOf(writer: OtherWriter): string {
  const { table, session, prepared, user, address, application, isStated, counted } = writer;
  const name = displayTable(table);
  if (counted !== null) {
    const { rows, withinMs, onlyAccount } = counted;
    const much = rows === null ? "something was" : rows === 1 ? "1 row was" : `${rows} rows were`;
    const from = onlyAccount?.address == null ? "" : ` from ${onlyAccount.address}`;
    const account =
      onlyAccount?.user == null
        ? ""
        : ` Of all others the user ${onlyAccount.user}${from} alone has written to any table meanwhile.`;
    return `Somebody writes to the target's table ${name}: ${much} written in the last ${Math.ceil(withinMs / 1000)} seconds, in which Tideway wrote nothing to it.${account}`;
  }
  const more = [
    ...(application === null ? [] : [`application ${application}`]),
    ...(address === null ? [] : [`from ${address}`]),
    ...(session === null ? [] : [`session ${session}`]),
    ...(prepared === null ? [] : [`prepared transaction ${prepared}`]),
  ];
  const details = more.length === 0 ? "" : ` (${more.join(", ")})`;
  const does = isStated === true ? "has sent a statement that writes" : "writes";
  return `The user ${user} ${does} to the target's table ${name}${details}.`;
}
