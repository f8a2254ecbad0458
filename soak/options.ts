import {
  type CommandLine,
  numberIn,
  parseOptions,
  Refusal,
  reading,
  wholeNumberIn,
} from "../test/support/program-options.ts";
import { type FaultName, faultNames, isFaultName } from "./fault-plan.ts";

export const HELP = `npm run soak [-- options]

Starts two PostgreSQL servers and a Tideway server, lets an application write to the one while a task
replicates it to the other, and disturbs them all the time. Then the application stops, and everything
has to be equal, and nothing may be left. Exit code 0 says that all holds.

  --minutes <number>   how long the application writes (default 30)
  --every <seconds>    from one fault to the next (default 20)
  --seed <number>      decides the faults and their order (default: another each time; it is shown)
  --faults <list>      only these, with commas between them; --help shows all
  --rate <number>      transactions a second (default 200)
  --rows <number>      rows of the shop to begin with (default 50000)
  --help

Faults: ${faultNames.join(", ")}
`;

export interface SoakOptions {
  readonly minutes: number;
  readonly everyS: number;
  readonly seed: number;
  readonly faults: readonly FaultName[];
  /** Transactions a second. */
  readonly rate: number;
  readonly rows: number;
}

/** `seed` is taken when the arguments name none. */
export function readCommandLine(args: readonly string[], seed: number): CommandLine<SoakOptions> {
  return reading(() => {
    const { values } = parseOptions({
      args: [...args],
      options: {
        minutes: { type: "string", default: "30" },
        every: { type: "string", default: "20" },
        seed: { type: "string" },
        faults: { type: "string" },
        rate: { type: "string", default: "200" },
        rows: { type: "string", default: "50000" },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) return { kind: "help" };
    const options = {
      minutes: numberIn("--minutes", values.minutes, { least: 0.1, most: 10_000 }),
      everyS: numberIn("--every", values.every, { least: 1, most: 3600 }),
      seed:
        values.seed === undefined
          ? seed
          : wholeNumberIn("--seed", values.seed, { least: 0, most: 2 ** 32 - 1 }),
      faults: values.faults === undefined ? faultNames : faults(values.faults),
      rate: wholeNumberIn("--rate", values.rate, { least: 1, most: 10_000 }),
      rows: wholeNumberIn("--rows", values.rows, { least: 1000, most: 100_000_000 }),
    };
    return { kind: "run", options };
  });
}

function faults(text: string): readonly FaultName[] {
  return text.split(",").map((part) => {
    const name = part.trim();
    if (isFaultName(name)) return name;
    throw new Refusal(`There is no fault "${name}". There are: ${faultNames.join(", ")}.`);
  });
}
