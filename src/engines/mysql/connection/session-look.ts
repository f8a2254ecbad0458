import type { EndpointConfig, EndpointRole } from "../../../core/engine.ts";
import type { Look, Sighting } from "../../shared/connection/session-look.ts";
import { openClient } from "./open-client.ts";

/** From connecting to the answer. */
const TIMEOUT_MS = 10_000;

/** States of a session that waits for us, as both servers and their versions call them. */
const listening = new Set(["Reading from net", "Receiving from client"]);
const sending = new Set(["Writing to net", "Sending to client"]);

interface ProcessRow {
  readonly id: string;
  readonly command: string;
  readonly state: string | null;
}

/**
 * Asks a server, over connections of its own, what it makes of some sessions. A user sees its own without any privilege.
 * A proxy in between numbers sessions by itself: of one that was never seen nothing is said, rather than that it is gone.
 */
export class SessionLook {
  readonly #endpoint: EndpointConfig;
  readonly #side: EndpointRole;
  readonly #seen = new Set<number>();

  /** `side`: that of the sessions. */
  constructor(endpoint: EndpointConfig, side: EndpointRole) {
    this.#endpoint = endpoint;
    this.#side = side;
  }

  async look(pids: readonly number[]): Promise<Look> {
    const options = { side: this.#side, purpose: "tideway watch", timeoutMs: TIMEOUT_MS };
    const client = await openClient(this.#endpoint, options, AbortSignal.timeout(TIMEOUT_MS));
    const cut = setTimeout(() => client.destroy(), TIMEOUT_MS);
    try {
      const rows = await client.query<ProcessRow>(
        `select id as id, command as command, state as state from information_schema.processlist
          where id in (${pids.join(", ")})`,
      );
      const found = new Map(rows.map((row) => [Number(row.id), row]));
      for (const pid of found.keys()) this.#seen.add(pid);
      const sightings = pids.flatMap((pid) => this.#sighting(pid, found.get(pid)));
      return { server: client.facts.identity, sightings };
    } finally {
      clearTimeout(cut);
      await client.end();
    }
  }

  #sighting(pid: number, row: ProcessRow | undefined): readonly Sighting[] {
    if (row === undefined && this.#seen.has(pid)) return [];
    return [{ pid, started: null, waits: waitsFor(row), mark: null }];
  }
}

function waitsFor(row: ProcessRow | undefined): Sighting["waits"] {
  const state = row?.state ?? "";
  if (row?.command === "Sleep" || listening.has(state)) return "to be told";
  return sending.has(state) ? "to send" : undefined;
}
