import type { TestEvent } from "node:test/reporters";
import { inspect } from "node:util";

/** What file-run.ts reads of a test event, one JSON text a line. */
export interface EventLine {
  readonly kind: "begin" | "end" | "pass" | "fail";
  readonly name: string;
  readonly nesting: number;
  readonly suite: boolean;
  /** Reason, or an empty text for a skip without one; null when the test ran. */
  readonly skipped: string | null;
  readonly milliseconds: number;
  readonly error: string | null;
}

interface EventData {
  readonly name: string;
  readonly nesting: number;
  readonly skip?: string | boolean;
  readonly todo?: string | boolean;
  readonly details?: { readonly type?: string; readonly duration_ms?: number; readonly error?: unknown };
}

const kinds: Readonly<Record<string, EventLine["kind"]>> = {
  "test:dequeue": "begin",
  "test:complete": "end",
  "test:pass": "pass",
  "test:fail": "fail",
};

/** A reporter for `node --test-reporter`: events as lines for another process. */
export default async function* events(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of source) {
    const kind = kinds[event.type];
    if (kind === undefined) continue;
    yield `${JSON.stringify(line(kind, event.data as EventData))}\n`;
  }
}

function line(kind: EventLine["kind"], data: EventData): EventLine {
  const skipped = data.skip ?? data.todo;
  return {
    kind,
    name: data.name,
    nesting: data.nesting,
    suite: data.details?.type === "suite",
    skipped: skipped === undefined || skipped === false ? null : skipped === true ? "" : skipped,
    milliseconds: data.details?.duration_ms ?? 0,
    error: kind === "fail" ? errorText(data.details?.error) : null,
  };
}

/** The thrown thing itself; node wraps it in an error of its own. */
function errorText(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return typeof cause === "string" ? cause : inspect(cause, { depth: 4, breakLength: 100 });
}
