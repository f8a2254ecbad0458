import type { Stage } from "../../test/support/stage.ts";
import type { ToolUsage } from "../profile.ts";
import type { ServerPair } from "../servers.ts";

/** Who brings changes from one database to another. */
export interface ChangeContender {
  readonly name: string;
  /** Why it cannot run with servers of this version. */
  missing(serverVersion: number): string | undefined;
  /** From here on the source keeps its log for this replication; nothing is applied yet. */
  attach(link: Link): Promise<Replication>;
}

/** One source database and a target database of its own for each run. */
export interface Link {
  readonly servers: ServerPair;
  readonly source: string;
  readonly target: string;
  /** A name for what is made on the servers. */
  readonly id: string;
  readonly stage: Stage;
}

/** Disposing removes what was made on both servers, but not the databases. */
export interface Replication extends AsyncDisposable {
  /** What takes time and is not applying, such as starting a process that waits. */
  prepare(): Promise<void>;
  /** Begins to apply, and resolves without waiting for anything to be applied. */
  start(): void | Promise<void>;
  /** Rejects when it ends by itself. Never resolves. */
  readonly failed: Promise<never>;
  /** CPU time and memory count from here on. */
  measure(): void;
  /** Since measure(); undefined when the servers do everything. */
  usage(): ToolUsage | undefined;
  /** Resolves with what went wrong, undefined when nothing did. */
  stop(): Promise<string | undefined>;
}
