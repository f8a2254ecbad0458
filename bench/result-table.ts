import type { Profile } from "./profile.ts";
import { type ContenderResult, type Metric, median, type ProfileResult, spread } from "./result.ts";

/** One row a contender, as wide as a terminal of 140 columns shows. */

interface Column {
  readonly title: string;
  readonly cell: (contender: ContenderResult, result: ProfileResult) => string;
  readonly left?: true;
}

const first: readonly Column[] = [
  { title: "contender", left: true, cell: ({ name }) => name },
  { title: "runs", cell: ({ runs }) => String(runs.filter(({ figures }) => figures !== undefined).length) },
];

const costs: readonly Column[] = [
  { title: "CPU s tool", cell: (one) => decimal(median(one, "toolCpuS"), 1) },
  { title: "source", cell: (one) => decimal(median(one, "sourceCpuS"), 1) },
  { title: "target", cell: (one) => decimal(median(one, "targetCpuS"), 1) },
  { title: "all", cell: (one) => decimal(median(one, "totalCpuS"), 1) },
  { title: "peak MB", cell: (one) => decimal(median(one, "peakMb"), 0) },
];

const columns: Readonly<Record<Profile["shows"], readonly Column[]>> = {
  throughput: [
    ...first,
    { title: "wall s", cell: (one) => withSpread(one, "wallS", 2) },
    { title: "rows/s", cell: (one, { rows }) => rate(rows, one) },
    {
      title: "MB/s",
      cell: (one, { megabytes }) => (megabytes === undefined ? "-" : perSecond(megabytes, one, 1)),
    },
    ...costs,
    { title: "vs tideway", cell: ratio },
  ],
  lag: [
    ...first,
    { title: "lag p50 ms", cell: (one) => withSpread(one, "lagP50Ms", 1) },
    { title: "lag p99 ms", cell: (one) => withSpread(one, "lagP99Ms", 1) },
    { title: "lag max ms", cell: (one) => withSpread(one, "lagMaxMs", 0) },
    { title: "tx/s", cell: (one) => decimal(median(one, "transactionsPerS"), 0) },
    ...costs,
  ],
};

export function resultTable(result: ProfileResult, shows: Profile["shows"]): string {
  const present = result.contenders.filter(({ missing }) => missing === undefined);
  const cells = [
    columns[shows].map(({ title }) => title),
    ...present.map((one) => columns[shows].map(({ cell }) => cell(one, result))),
  ];
  const widths = columns[shows].map((_, index) => Math.max(...cells.map((row) => row[index]!.length)));
  const lines = cells.map((row) =>
    row
      .map((text, index) =>
        columns[shows][index]!.left === true ? text.padEnd(widths[index]!) : text.padStart(widths[index]!),
      )
      .join("  "),
  );
  const missing = result.contenders
    .filter((one) => one.missing !== undefined)
    .map((one) => `${one.name}: did not run: ${one.missing}`);
  return [...lines, ...missing].map((line) => `  ${line}\n`).join("");
}

/** Rows a second in thousands from 10,000 on. */
function rate(rows: number, one: ContenderResult): string {
  const wallS = median(one, "wallS");
  if (wallS === undefined) return "-";
  const value = rows / wallS;
  return value >= 10_000 ? `${(value / 1000).toFixed(value >= 100_000 ? 0 : 1)}k` : value.toFixed(0);
}

function perSecond(amount: number, one: ContenderResult, digits: number): string {
  const wallS = median(one, "wallS");
  return wallS === undefined ? "-" : (amount / wallS).toFixed(digits);
}

/** The contender's median over ours, and the same of each pair of runs. */
function ratio(one: ContenderResult, { contenders }: ProfileResult): string {
  const ours = contenders[0]!;
  if (one === ours) return "";
  const [mine, theirs] = [median(ours, "wallS"), median(one, "wallS")];
  if (mine === undefined || theirs === undefined) return "-";
  const pairs = one.runs.flatMap(({ round, figures }) => {
    const own = ours.runs.find((run) => run.round === round)?.figures;
    return own === undefined || figures === undefined ? [] : [figures.wallS / own.wallS];
  });
  const range = `${Math.min(...pairs).toFixed(2)}–${Math.max(...pairs).toFixed(2)}`;
  return `${(theirs / mine).toFixed(2)}x${pairs.length > 1 ? ` (${range})` : ""}`;
}

function withSpread(one: ContenderResult, metric: Metric, digits: number): string {
  const found = spread(one, metric);
  if (found === undefined) return "no figure";
  const middle = found.median.toFixed(digits);
  return `${middle} (${found.min.toFixed(digits)}–${found.max.toFixed(digits)})`;
}

function decimal(value: number | undefined, digits: number): string {
  return value === undefined ? "-" : value.toFixed(digits);
}
