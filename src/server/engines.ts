import type { Engine, EngineRegistry } from "../core/engine.ts";
import { MigrationError } from "../core/error.ts";
import { mysqlEngine } from "../engines/mysql/engine.ts";
import { postgresEngine } from "../engines/postgres/engine.ts";

/** Every engine of this version. To remove one, delete its folder and its line. */
const engines: readonly Engine[] = [postgresEngine, mysqlEngine];

/** For a process that waits for tasks: the first of them finds everything loaded. */
export async function loadEngines(): Promise<void> {
  await Promise.all(engines.map((engine) => engine.load()));
}

/** Its own name, its aliases, and the schemes of its URLs. */
function namesOf({ name, aliases, urlSchemes }: Engine): readonly string[] {
  return [name, ...aliases.map((alias) => alias.name), ...urlSchemes];
}

export const registry: EngineRegistry = {
  engines,
  find(name) {
    const engine = engines.find((candidate) => namesOf(candidate).includes(name));
    if (engine === undefined) {
      throw new MigrationError("engine.unknown", {
        message: `There is no engine ${name}.`,
        subject: name,
        remedy: `Use one of: ${engines.map((candidate) => candidate.name).join(", ")}.`,
      });
    }
    return engine;
  },
};
