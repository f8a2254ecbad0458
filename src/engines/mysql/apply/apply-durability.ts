import { setTimeout as delay } from "node:timers/promises";
import type { Position } from "../../../core/position.ts";
import { LogDurability, type LogState } from "../../shared/apply/log-durability.ts";
import type { Client } from "../connection/client.ts";
import type { ApplySession } from "./apply-session.ts";

/**
 * How it is known that commits are durable. commit: the server waits for its disk at each of them. told: it says how
 * far its log is on disk, which it writes every second. flush: it writes its log when it is made to.
 */
export type DurabilityKind = "commit" | "told" | "flush";

/** MySQL writes the log of InnoDB then; MariaDB since 10.6 does not, but tells how far it is. */
export const FLUSH_SQL = "flush no_write_to_binlog engine logs";

/** MariaDB's, as names and values; nobody needs a privilege for them. */
export const LOG_STATE_SQL =
  "show global status where variable_name in ('Innodb_lsn_current', 'Innodb_lsn_flushed')";

/** How commits of the session's server become durable. Does nothing itself; a flush may need a privilege. */
export async function durabilityOf(client: Client): Promise<DurabilityKind> {
  const [row] = await client.query<Record<"log" | "flush" | "sync", string>>(
    "select @@log_bin as log, @@innodb_flush_log_at_trx_commit as `flush`, @@sync_binlog as sync",
  );
  const { log, flush, sync } = row!;
  // After a crash of the machine a server takes back what its binary log does not have.
  if (flush === "1" && (log !== "1" || sync === "1")) return "commit";
  return (await stateOf(client)) === undefined ? "flush" : "told";
}

/** Resolves when all that the server has committed so far is on its disk. Throws where it may not be made to write. */
export async function waitForDisk(client: Client, kind: DurabilityKind): Promise<void> {
  if (kind === "flush") await client.execute(FLUSH_SQL);
  if (kind !== "told") return;
  const { end } = (await stateOf(client))!;
  while ((await stateOf(client))!.onDisk < end) await delay(WAIT_MS);
}

async function stateOf(client: Client): Promise<LogState | undefined> {
  const rows = await client.query<{ Variable_name: string; Value: string }>(LOG_STATE_SQL);
  return readLogState(rows.map(({ Variable_name, Value }) => [Variable_name, Value]));
}

/** undefined where the server does not tell. */
export function readLogState(rows: readonly (readonly (string | null)[])[]): LogState | undefined {
  const values = new Map(rows.map(([name, value]) => [name?.toLowerCase(), value]));
  const end = values.get("innodb_lsn_current");
  const onDisk = values.get("innodb_lsn_flushed");
  return end == null || onDisk == null ? undefined : { end: BigInt(end), onDisk: BigInt(onDisk) };
}

/** How often the server is asked while somebody waits for its disk. */
const WAIT_MS = 20;

/** Follows which commits of a session's server are on its disk. */
export class ApplyDurability {
  readonly #kind: DurabilityKind;
  readonly #session: ApplySession;
  readonly #log = new LogDurability();

  constructor(kind: DurabilityKind, session: ApplySession) {
    this.#kind = kind;
    this.#session = session;
  }

  get newest(): Position | undefined {
    return this.#log.newest;
  }

  get isDue(): boolean {
    return this.#log.isDue;
  }

  get dueInMs(): number | undefined {
    return this.#log.dueInMs;
  }

  /** A commit has succeeded; resolves with up to where commits are known to be durable since. */
  async committed(position: Position): Promise<Position | undefined> {
    if (this.#kind === "commit") return position;
    this.#log.committed(position);
    return this.isDue ? await this.ask() : undefined;
  }

  async ask(): Promise<Position | undefined> {
    if (this.#kind === "flush") return this.#log.told(await this.#flush());
    return this.#log.told(await this.#state());
  }

  /** Resolves with the last commit when all of them are durable. */
  async settle(): Promise<Position | undefined> {
    const { newest } = this.#log;
    if (newest === undefined) return undefined;
    await this.wait();
    this.#log.settled();
    return newest;
  }

  /** Resolves when all commits so far are durable. */
  async wait(): Promise<void> {
    if (this.#kind === "flush") await this.#flush();
    if (this.#kind !== "told") return;
    const { end } = await this.#state();
    while ((await this.#state()).onDisk < end) await delay(WAIT_MS);
  }

  async #flush(): Promise<LogState> {
    this.#session.statements(FLUSH_SQL);
    await this.#session.drain();
    return { end: 0n, onDisk: 0n };
  }

  async #state(): Promise<LogState> {
    return readLogState(await this.#session.ask(LOG_STATE_SQL))!;
  }
}
