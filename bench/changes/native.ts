import { literal } from "../../src/engines/shared/identifier.ts";
import type { ChangeContender, Link, Replication } from "./contender.ts";

export interface NativeOptions {
  readonly name: string;
  readonly streaming: "off" | "on" | "parallel";
}

const BINARY_SINCE = 14;
const PARALLEL_SINCE = 16;
const PUBLICATION = "bench_native";

/** PostgreSQL's own logical replication at its best: rows travel in binary form. */
export function native({ name, streaming }: NativeOptions): ChangeContender {
  const since = streaming === "parallel" ? PARALLEL_SINCE : BINARY_SINCE;
  return {
    name,
    missing: (version) =>
      version >= since
        ? undefined
        : `PostgreSQL has it from version ${since} on, and the servers are ${version}`,
    async attach(link) {
      await publish(link);
      const { servers, source, target, id } = link;
      await servers.source.query(
        `select pg_create_logical_replication_slot(${literal(id)}, 'pgoutput')`,
        source,
      );
      const { port, password } = servers.source;
      const connection = `host=127.0.0.1 port=${port} user=postgres password=${password} dbname=${source}`;
      await servers.target.query(
        `create subscription ${id} connection ${literal(connection)} publication ${PUBLICATION}
         with (enabled = false, create_slot = false, slot_name = ${literal(id)}, copy_data = false, binary = on, streaming = ${streaming})`,
        target,
      );
      return new NativeReplication(link);
    },
  };
}

async function publish({ servers, source }: Link): Promise<void> {
  const found = await servers.source.query(
    "select 1 from pg_publication where pubname = 'bench_native'",
    source,
  );
  if (found.length === 0) {
    await servers.source.query(`create publication ${PUBLICATION} for all tables`, source);
  }
}

class NativeReplication implements Replication {
  readonly failed = new Promise<never>(() => undefined);
  readonly #link: Link;

  constructor(link: Link) {
    this.#link = link;
  }

  async prepare(): Promise<void> {}

  async start(): Promise<void> {
    await this.#target("enable");
  }

  measure(): void {}

  usage(): undefined {
    return undefined;
  }

  async stop(): Promise<undefined> {
    await this.#target("disable");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { servers, source, target, id } = this.#link;
    await this.#target("disable");
    await this.#target("set (slot_name = none)");
    await servers.target.query(`drop subscription ${id}`, target);
    // The walsender holds the slot for a moment longer than the subscription lives.
    await servers.source.query(
      `select pg_terminate_backend(active_pid, 10000) from pg_replication_slots where slot_name = ${literal(id)} and active`,
      source,
    );
    await servers.source.query(`select pg_drop_replication_slot(${literal(id)})`, source);
  }

  async #target(change: string): Promise<void> {
    const { servers, target, id } = this.#link;
    await servers.target.query(`alter subscription ${id} ${change}`, target);
  }
}
