import {
  type CommandLine,
  numberIn,
  parseOptions,
  Refusal,
  reading,
  wholeNumberIn,
} from "../../test/support/program-options.ts";

export const kindNames = ["postgres", "mariadb"] as const;

export type KindName = (typeof kindNames)[number];

export interface Pair {
  readonly source: KindName;
  readonly target: KindName;
}

export const HELP = `npm run soak:validation [-- options]

Moves a database, lets TPC-B transactions write to the source (pgbench's, or the same from sessions of
this program where the source is MariaDB) while a task replicates them, changes the target in every way that
has to be found, and compares the two again and again. Exit code 0 says that each comparison found exactly that,
and was sure of it.

  --minutes <number>   how long each pair is written and compared (default 10)
  --pairs <list>       source:target with commas between, of ${kindNames.join(" and ")}
                       (default postgres:postgres,postgres:mariadb,mariadb:postgres,mariadb:mariadb)
  --clients <number>   sessions that write (default 4)
  --scale <number>     100,000 accounts each (default 1)
  --rate <number>      transactions a second, of all sessions; 0 for as many as go (default 0)
  --help
`;

export interface ValidationSoakOptions {
  readonly minutes: number;
  readonly pairs: readonly Pair[];
  readonly clients: number;
  readonly scale: number;
  readonly rate: number;
}

export function readCommandLine(args: readonly string[]): CommandLine<ValidationSoakOptions> {
  return reading(() => {
    const { values } = parseOptions({
      args: [...args],
      options: {
        minutes: { type: "string", default: "10" },
        pairs: {
          type: "string",
          default: "postgres:postgres,postgres:mariadb,mariadb:postgres,mariadb:mariadb",
        },
        clients: { type: "string", default: "4" },
        scale: { type: "string", default: "1" },
        rate: { type: "string", default: "0" },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) return { kind: "help" };
    const options = {
      minutes: numberIn("--minutes", values.minutes, { least: 0.05, most: 10_000 }),
      pairs: values.pairs.split(",").map(pairIn),
      clients: wholeNumberIn("--clients", values.clients, { least: 1, most: 100 }),
      scale: wholeNumberIn("--scale", values.scale, { least: 1, most: 1000 }),
      rate: wholeNumberIn("--rate", values.rate, { least: 0, most: 1_000_000 }),
    };
    return { kind: "run", options };
  });
}

function pairIn(text: string): Pair {
  const [source, target, ...more] = text.trim().split(":");
  if (more.length === 0 && isKindName(source) && isKindName(target)) return { source, target };
  throw new Refusal(`"${text}" is no pair. Pairs are like postgres:mariadb, of ${kindNames.join(" and ")}.`);
}

function isKindName(text: string | undefined): text is KindName {
  return kindNames.some((name) => name === text);
}
