import { EVENTS_KEPT, type NumberedEvent, type ServiceEvent } from "../task/store.ts";
import type { Statements } from "./statements.ts";

const DAY_MS = 24 * 3600 * 1000;

/** The table of events, by time and by number. */
export class EventLog {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  add(event: ServiceEvent): void {
    const { days, most } = EVENTS_KEPT;
    const statements = this.#statements;
    statements.run("insert into event (at_ms, body) values (?, ?)", event.atMs, JSON.stringify(event));
    statements.run("delete from event where at_ms < ?", event.atMs - days * DAY_MS);
    statements.run("delete from event where seq <= (select max(seq) from event) - ?", most);
  }

  between(sinceMs: number, untilMs: number): readonly ServiceEvent[] {
    const sql = "select body from event where at_ms between ? and ? order by at_ms, seq";
    const rows = this.#statements.prepare(sql).all(sinceMs, untilMs);
    return rows.map((row) => JSON.parse(String(row.body)) as ServiceEvent);
  }

  after(number: number, most: number): readonly NumberedEvent[] {
    const sql = "select seq, body from event where seq > ? order by seq limit ?";
    const rows = this.#statements.prepare(sql).all(number, most);
    return rows.map((row) => ({
      number: Number(row.seq),
      event: JSON.parse(String(row.body)) as ServiceEvent,
    }));
  }

  /** Of the last that was added, though it may be forgotten since. */
  lastNumber(): number {
    const row = this.#statements.prepare("select seq from sqlite_sequence where name = 'event'").get();
    return Number(row?.seq ?? 0);
  }
}
