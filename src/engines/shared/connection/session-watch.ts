import type { Socket } from "node:net";
import { MigrationError } from "../../../core/error.ts";
import { CutSessions } from "./cut-sessions.ts";
import type { Backend, Look, SessionMark } from "./session-look.ts";

export interface WatchedSession {
  /** What the session is for, as the server's activity views show it. */
  readonly purpose: string;
  readonly backend: Backend;
  readonly socket: Socket;
  /** Whether something was asked of the server that has not come, and the session would take it now. */
  awaits: () => boolean;
  /** Of the bytes written, so many the server has for certain: it has answered all that was asked in them. */
  arrivedBytes: () => number;
}

/** The server's side of the sessions, reached over connections of its own. */
export interface SessionServer {
  look(pids: readonly number[]): Promise<Look>;
  /** Ends what the server still holds of sessions that were cut. */
  end(sessions: readonly SessionMark[]): Promise<void>;
}

export interface WatchTimes {
  /** How often sessions are looked after, in milliseconds. */
  readonly everyMs: number;
  /** A session that hears nothing for so long is asked about. */
  readonly silentMs: number;
  /** For how long every look must say the same, at the least, before a session is cut; see neededMs(). */
  readonly certainMs: number;
  /** One that is found at work is asked about ever more rarely, down to once in so many milliseconds. */
  readonly rarelyMs: number;
  /** Bytes per millisecond: what carries less is taken to carry nothing. */
  readonly slowest: number;
}

const TIMES: WatchTimes = {
  everyMs: 10_000,
  silentMs: 20_000,
  certainMs: 20_000,
  rarelyMs: 300_000,
  slowest: 16,
};

/** How many looks in a row must say the same, whatever time they take. */
const CERTAIN_LOOKS = 3;

/** After an outage TCP sends again when as much time has passed as the outage took, and this at the most (Linux). */
const RESEND_MS = 120_000;

/**
 * What a connection may hold under way after it has left this program: this machine's buffer (4 MiB, tcp_wmem),
 * and those of a tunnel or a proxy in between (6 MiB, tcp_rmem, its own window, and 4 MiB again).
 */
const UNDER_WAY_BYTES = 16 << 20;

/** Of this program, whoever has opened them. */
const open = new Set<WatchedSession>();

/** Numbers of the processes of all sessions that this program has with a server; see Backend. */
export function ownProcesses(server: string): ReadonlySet<number> {
  const own = [...open].filter(({ backend }) => backend.server === server);
  return new Set(own.map(({ backend }) => backend.pid));
}

/** "answer": something is to come. "room": something is to go out. */
type Wait = "answer" | "room";
type SuspicionKind = "ended" | "listens" | "cannot send";

interface Suspicion {
  readonly kind: SuspicionKind;
  /** See Sighting. */
  readonly mark: string | null;
  readonly sinceMs: number;
  /** How many looks have said so. */
  looks: number;
}

/** What is known of a session since it was last heard of. */
interface Silence {
  readonly wait: Wait | undefined;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Of the bytes written, so many are known to have arrived: an answer has come since. */
  readonly arrivedBytes: number;
  readonly sinceMs: number;
  /** When it is asked about next, and how long after that again. */
  lookAtMs: number;
  gapMs: number;
  suspicion: Suspicion | undefined;
}

/**
 * Finds the sessions whose connection is dead although neither side was told: a firewall forgot it, a packet
 * filter swallows it, a machine in between has gone. Whoever waits on such a connection waits for ever, and
 * silence alone proves nothing: a server may work on a statement, or wait for a lock, for days.
 *
 * So the server is asked, over another connection, about the sessions that wait in silence. A process that
 * works, or waits for anything but us, is left alone however long it takes. One that has gone, one that waits
 * for our words while we wait for its, and one that cannot send although we would take it, has lost us.
 * What is still under way looks the same, and to cut a connection that works is worse than to find a dead one
 * late. So every look must say so for as long as the slowest network takes, and the process must not have taken
 * anything from us in between. A look that fails proves nothing, and what was seen before it no longer counts.
 * Sessions that are cut, for whatever reason, are ended on the server as well; see CutSessions.
 */
export class SessionWatch {
  readonly #server: SessionServer;
  readonly #subject: string;
  readonly #times: WatchTimes;
  readonly #sessions = new Map<WatchedSession, Silence>();
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  readonly #cut: CutSessions;

  /** `subject`: the server's address, for errors. */
  constructor(server: SessionServer, subject: string, times = TIMES) {
    this.#server = server;
    this.#cut = new CutSessions((sessions) => server.end(sessions));
    this.#subject = subject;
    this.#times = times;
  }

  /** Looks after a session until its socket has closed. */
  add(session: WatchedSession): void {
    if (session.socket.destroyed) return;
    open.add(session);
    this.#sessions.set(session, this.#silenceOf(session, undefined));
    session.socket.once("close", () => this.#remove(session));
    this.#timer ??= setInterval(() => void this.#tick(), this.#times.everyMs).unref();
  }

  /** Numbers of the processes of all sessions. */
  get pids(): readonly number[] {
    return [...this.#sessions.keys()].map(({ backend }) => backend.pid);
  }

  /** Numbers of the processes whose answer has been awaited for so long, as far as that was noticed. */
  awaitedFor(milliseconds: number): readonly number[] {
    const pids: number[] = [];
    for (const [session, silence] of this.#sessions) {
      if (silence.wait === "answer" && isSilent(session, silence, milliseconds))
        pids.push(session.backend.pid);
    }
    return pids;
  }

  /** Resolves when the server has been told to end those that were cut, or cannot be told. */
  async ended(): Promise<void> {
    await this.#cut.ended();
  }

  #remove(session: WatchedSession): void {
    this.#sessions.delete(session);
    open.delete(session);
    const { backend, purpose, socket } = session;
    if (!knowsOfEnd(socket)) this.#cut.add({ ...backend, purpose });
    if (this.#sessions.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #tick(): Promise<void> {
    const silent: WatchedSession[] = [];
    let isDue = false;
    for (const [session, silence] of this.#sessions) {
      if (!isSilent(session, silence, 0)) this.#sessions.set(session, this.#silenceOf(session, silence));
      else if (isSilent(session, silence, this.#times.silentMs)) {
        silent.push(session);
        isDue ||= performance.now() >= silence.lookAtMs;
      }
    }
    if (!isDue || this.#isLooking) return;
    this.#isLooking = true;
    try {
      const look = await this.#server.look(silent.map(({ backend }) => backend.pid));
      for (const session of silent) this.#judge(session, look);
    } catch {
      // Said above: it proves nothing. What keeps us from connecting is met by whoever needs a connection.
      for (const session of silent) this.#forgetSuspicion(session);
    } finally {
      this.#isLooking = false;
    }
  }

  #forgetSuspicion(session: WatchedSession): void {
    const silence = this.#sessions.get(session);
    if (silence !== undefined) silence.suspicion = undefined;
  }

  #judge(session: WatchedSession, look: Look): void {
    const silence = this.#sessions.get(session);
    if (silence === undefined || !isSilent(session, silence, 0)) return;
    const { everyMs, rarelyMs } = this.#times;
    const seen = suspicionOf(session.backend, silence.wait, look);
    const nowMs = performance.now();
    silence.gapMs = seen === undefined ? Math.min(2 * silence.gapMs, rarelyMs) : everyMs;
    silence.lookAtMs = seen === undefined ? nowMs + silence.gapMs : nowMs;
    const before = silence.suspicion;
    if (seen === undefined || seen.kind !== before?.kind || seen.mark !== before.mark) {
      silence.suspicion = seen && { ...seen, sinceMs: nowMs, looks: 1 };
      return;
    }
    before.looks++;
    const isCertain = nowMs - before.sinceMs >= this.#neededMs(session, silence, before);
    if (!isCertain || before.looks < CERTAIN_LOOKS) return;
    session.socket.destroy(
      new MigrationError("connect.lost", { message: messages[before.kind], subject: this.#subject }),
    );
  }

  /** How long a suspicion must last: what may be under way has that time to arrive. */
  #neededMs(session: WatchedSession, silence: Silence, { kind, sinceMs }: Suspicion): number {
    const { socket } = session;
    const { certainMs, slowest } = this.#times;
    if (kind === "ended") return certainMs;
    const resendMs = Math.min(sinceMs - silence.sinceMs, RESEND_MS);
    if (kind === "cannot send") return certainMs + resendMs;
    const gone = socket.bytesWritten - Math.max(silence.arrivedBytes, session.arrivedBytes());
    const bytes = Math.min(gone, UNDER_WAY_BYTES) + socket.writableLength;
    return certainMs + resendMs + bytes / slowest;
  }

  #silenceOf(session: WatchedSession, before: Silence | undefined): Silence {
    const { bytesRead, bytesWritten } = session.socket;
    const sinceMs = performance.now();
    return {
      wait: waitOf(session),
      bytesRead,
      bytesWritten,
      // What was written last may have gone out behind the question that was answered.
      arrivedBytes: before === undefined ? bytesWritten : arrivedBytes(before, bytesRead),
      sinceMs,
      lookAtMs: sinceMs,
      gapMs: this.#times.everyMs,
      suspicion: undefined,
    };
  }
}

const messages: Readonly<Record<SuspicionKind, string>> = {
  ended: "The server has ended a session, and the network did not say so.",
  listens: "The network carries nothing of a session any more: what was asked or answered is lost.",
  "cannot send": "The network carries nothing of a session any more: the server cannot send.",
};

function arrivedBytes(before: Silence, bytesRead: number): number {
  return bytesRead === before.bytesRead ? before.arrivedBytes : before.bytesWritten;
}

/** Whether the server has hung up, or has our goodbye: under TLS it may answer that with a reset. */
function knowsOfEnd({ readableEnded, writableFinished, errored }: Socket): boolean {
  if (readableEnded) return true;
  const code = (errored as NodeJS.ErrnoException | null)?.code;
  return writableFinished && (code === "ECONNRESET" || code === "EPIPE");
}

/** Whether the session has waited for the same all the time, and for so many milliseconds. */
function isSilent(session: WatchedSession, silence: Silence, milliseconds: number): boolean {
  const { wait, bytesRead, bytesWritten, sinceMs } = silence;
  const { socket } = session;
  if (wait === undefined || wait !== waitOf(session) || bytesRead !== socket.bytesRead) return false;
  if (wait === "room" && bytesWritten !== socket.bytesWritten) return false;
  return performance.now() - sinceMs >= milliseconds;
}

/** As long as bytes are going out the server cannot have answered them. */
function waitOf({ socket, awaits }: WatchedSession): Wait | undefined {
  if (socket.writableCorked > 0) return undefined;
  if (socket.writableLength > 0) return "room";
  return awaits() ? "answer" : undefined;
}

function suspicionOf(
  backend: Backend,
  wait: Wait | undefined,
  look: Look,
): Pick<Suspicion, "kind" | "mark"> | undefined {
  if (look.server !== backend.server) return undefined;
  const seen = look.sightings.find(({ pid, started }) => {
    return (
      pid === backend.pid && (started === backend.started || started === null || backend.started === null)
    );
  });
  if (seen === undefined) return { kind: "ended", mark: null };
  const { mark, waits } = seen;
  if (waits === "to be told") return { kind: "listens", mark };
  return wait === "answer" && waits === "to send" ? { kind: "cannot send", mark } : undefined;
}
