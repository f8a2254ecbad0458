import { KilledTask } from "./killed-task.ts";
import { MysqlKillWorkload } from "./mysql-kill-schema.ts";
import type { MysqlPair } from "./mysql-pair.ts";

/** A task from MySQL that is killed. */
export class MysqlLife extends KilledTask {
  readonly #pair: MysqlPair;

  constructor(pair: MysqlPair) {
    super(pair.spec);
    this.#pair = pair;
  }

  write(note: string): Promise<MysqlKillWorkload> {
    return MysqlKillWorkload.start(this.#pair.servers.source, this.#pair.from, note);
  }

  async assertEqual(): Promise<void> {
    await this.telling(() => this.#pair.assertEqual());
  }
}
