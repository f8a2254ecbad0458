import type { Context } from "../profile.ts";
import { type ServerPair, startServers } from "../servers.ts";
import type { ChangeContender, Replication } from "./contender.ts";
import { createFromTemplate, dropDatabase, makeTemplates } from "./databases.ts";

export const SOURCE = "bench_source";

/** A target database of its own and what replicates into it. */
export interface Attached {
  readonly target: string;
  readonly replication: Replication;
}

/**
 * The databases of a profile of catching up. All replications are attached before the workload, each
 * with a slot of its own, so that one workload serves all runs and all have the very same log to apply.
 */
export class Backlog {
  readonly servers: ServerPair;
  readonly #context: Context;
  readonly #attached = new Map<string, Attached>();

  private constructor(servers: ServerPair, context: Context) {
    this.servers = servers;
    this.#context = context;
  }

  static async create(context: Context, initial: string): Promise<Backlog> {
    const servers = await startServers(context);
    await makeTemplates(servers, initial);
    await createFromTemplate(servers.source, SOURCE);
    return new Backlog(servers, context);
  }

  async attachAll(contenders: readonly ChangeContender[]): Promise<void> {
    for (const contender of contenders) {
      for (let round = 0; round < this.#context.rounds(contender.name); round++) {
        await this.#attach(contender, round);
      }
    }
  }

  take(contender: string, round: number): Attached {
    const attached = this.#attached.get(`${contender} ${round}`);
    if (attached === undefined) throw new Error("No replication was attached for this run.");
    return attached;
  }

  async remove({ target, replication }: Attached): Promise<void> {
    await replication[Symbol.asyncDispose]();
    await dropDatabase(this.servers.target, target);
  }

  async #attach(contender: ChangeContender, round: number): Promise<void> {
    const { servers } = this;
    const id = `bench_${contender.name.replaceAll(/\W/g, "_")}_${round}`;
    await createFromTemplate(servers.target, id);
    const { stage } = this.#context;
    const replication = await contender.attach({ servers, source: SOURCE, target: id, id, stage });
    this.#attached.set(`${contender.name} ${round}`, { target: id, replication });
  }
}
