import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { DatabaseMigrationServiceClient } from "@aws-sdk/client-database-migration-service";
import { dmsClient, type ServerAddress } from "./dms-client.ts";
import { forkKillable } from "./killable.ts";
import { armingOf, type PlannedKill } from "./kills.ts";

/** A Tideway server in a process of its own, to be killed, with AWS's client for it. */
export class ServiceProcess implements AsyncDisposable {
  /** The signal that ended it. */
  readonly ended: Promise<string | null>;
  readonly #child: ChildProcess;
  /** undefined when it ended while it started. */
  client: DatabaseMigrationServiceClient | undefined;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.ended = once(child, "exit").then(([, signal]) => signal as string | null);
  }

  /** Resolves when it answers, or when it has ended before. */
  static async start(dataDir: string, topicsFile: string, kill?: PlannedKill): Promise<ServiceProcess> {
    const arming = kill === undefined ? undefined : armingOf(kill);
    const child = forkKillable("service-child.ts", [dataDir, topicsFile], arming);
    const service = new ServiceProcess(child);
    const told = once(child, "message").then(([address]) => address as ServerAddress);
    const address = await Promise.race([told, service.ended.then(() => undefined)]);
    if (address !== undefined) service.client = await dmsClient(address);
    return service;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client?.destroy();
    if (this.#child.connected) this.#child.disconnect();
    await this.ended;
  }
}
