import { type DatabaseKind, postgres } from "../../test/contract/database-kind.ts";
import { mariadb } from "../../test/contract/mysql-kinds.ts";
import {
  plantDifferences,
  plantedDialects,
  plantedLines,
  plantedSchema,
} from "../../test/support/planted-differences.ts";
import { ObservedTask, schemas, taskSpec } from "../../test/support/task.ts";
import { differenceLine, type Validated, validated } from "../../test/support/validation.ts";
import type { KindName, Pair, ValidationSoakOptions } from "./options.ts";
import { mysqlLoad, pgbenchLoad } from "./tpcb.ts";

interface SoakedKind {
  readonly kind: DatabaseKind;
  readonly dialect: keyof typeof plantedDialects;
  readonly load: typeof pgbenchLoad;
}

const kinds: Readonly<Record<KindName, SoakedKind>> = {
  postgres: { kind: postgres, dialect: "postgres", load: pgbenchLoad },
  mariadb: { kind: mariadb, dialect: "mysql", load: mysqlLoad },
};

export interface ValidationSoak {
  readonly options: ValidationSoakOptions;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

const WITHOUT_KEY = ["events", "pgbench_history"];

/** What did not hold; empty when all did. */
export async function soakPair(pair: Pair, soak: ValidationSoak): Promise<readonly string[]> {
  const { options, say, signal } = soak;
  const [from, to] = [kinds[pair.source], kinds[pair.target]];
  await using source = await from.kind.start();
  await using target = await to.kind.start();
  const [there, here] = [await source.newSchema(), await target.newSchema()];
  const load = from.load(there, options);
  await there.run(plantedSchema(plantedDialects[from.dialect]));
  await load.fill();
  if (from.kind === postgres) {
    for (const table of WITHOUT_KEY) await there.run(`alter table ${table} replica identity full`);
  }
  const spec = taskSpec({
    ...{ type: "full-load-and-cdc", source: there.endpoint, target: here.endpoint },
    tableMappings: schemas(there.name),
    settings: JSON.stringify({ TargetMetadata: { TargetSchema: here.name } }),
  });
  const task = new ObservedTask(spec);
  const stop = new AbortController();
  const writing = load.write(AbortSignal.any([signal, stop.signal]));
  // What fails while something else is awaited is thrown where it is awaited.
  writing.catch(() => undefined);
  const problems: string[] = [];
  try {
    await task.until(({ phase }) => phase === "replicating");
    say(`${named(pair)}: loaded, and replicating what is written`);
    const compare = async (): Promise<void> => {
      const startedMs = performance.now();
      const found = await validated(spec);
      const now = wrong(found);
      problems.push(...now);
      for (const problem of now) say(`${named(pair)}: ${problem}`);
      const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
      say(
        `${named(pair)}: compared ${rowsOf(found)} rows in ${seconds} s, ${problems.length} problems so far`,
      );
    };
    await plantDifferences(here, plantedDialects[to.dialect]);
    const untilMs = performance.now() + options.minutes * 60_000;
    do {
      signal.throwIfAborted();
      await compare();
    } while (problems.length === 0 && performance.now() < untilMs);
    stop.abort();
    say(`${named(pair)}: ${(await writing).toLocaleString("en-US")} transactions were written meanwhile`);
    if (problems.length === 0) await compare();
  } finally {
    stop.abort();
    await writing.catch(() => undefined);
    task.running.stop();
    task.running.stop();
    await task.running.outcome;
  }
  return problems.map((problem) => `${named(pair)}: ${problem}`);
}

/** What of a comparison is not as it has to be: what is planted is found, and nothing else. */
function wrong({ differences, tables }: Validated): readonly string[] {
  const found = differences.map(differenceLine);
  const open = [...tables.values()].filter(({ verdict, undecided }) => undecided > 0 || unsure.has(verdict));
  return [
    ...found.filter((line) => !plantedLines.includes(line)).map((line) => `false alarm: ${line}`),
    ...plantedLines.filter((line) => !found.includes(line)).map((line) => `not found: ${line}`),
    ...open
      .filter(({ table, verdict }) => !(table.name === "absent" && verdict === "missing"))
      .map(({ table, verdict, undecided, error, reason }) => {
        const why = error?.code ?? reason ?? `${undecided} rows undecided`;
        return `not decided: ${table.name} is ${verdict}, ${why}`;
      }),
  ];
}

const unsure = new Set(["missing", "not-compared", "failed"]);

function rowsOf({ tables }: Validated): string {
  const sum = [...tables.values()].reduce((rows, table) => rows + table.rows.source + table.rows.target, 0);
  return sum.toLocaleString("en-US");
}

function named({ source, target }: Pair): string {
  return `${source} to ${target}`;
}
