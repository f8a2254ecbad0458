import { machineCpu, treeCpuS } from "../test/support/process-table.ts";
import type { Attempt, RunReport, Workbench } from "./profile.ts";
import type { Figures, RunResult } from "./result.ts";

/** One run with everything that is measured around it. What goes wrong is a result, too. */
export async function runAttempt(
  workbench: Workbench,
  contender: string,
  round: number,
  timed: (wallS: number) => void,
): Promise<RunResult> {
  try {
    await using attempt = await workbench.open(contender, round);
    const figures = await measure(workbench, attempt);
    timed(figures.wallS);
    const problem = await attempt.check();
    return problem === undefined
      ? { round, figures, problem }
      : { round, figures: undefined, problem: `the rows are not right: ${problem}` };
  } catch (error) {
    return { round, figures: undefined, problem: error instanceof Error ? error.message : String(error) };
  }
}

async function measure(workbench: Workbench, attempt: Attempt): Promise<Figures> {
  const before = readCpu(workbench);
  const startedMs = performance.now();
  const report = await attempt.run();
  const wallS = (performance.now() - startedMs) / 1000;
  return figuresOf(wallS, report, before, readCpu(workbench));
}

interface Cpu {
  readonly sourceS: number;
  readonly targetS: number;
  readonly machineS: number;
  readonly stolenS: number;
}

function readCpu({ sourcePid, targetPid }: Workbench): Cpu {
  const { busyS, stolenS } = machineCpu();
  return {
    sourceS: treeCpuS(sourcePid),
    targetS: targetPid === undefined ? 0 : treeCpuS(targetPid),
    machineS: busyS,
    stolenS,
  };
}

function figuresOf(wallS: number, report: RunReport, before: Cpu, after: Cpu): Figures {
  const sourceCpuS = after.sourceS - before.sourceS;
  const targetCpuS = after.targetS - before.targetS;
  const totalCpuS = sourceCpuS + targetCpuS + (report.tool?.cpuS ?? 0);
  const machineS = after.machineS - before.machineS + (after.stolenS - before.stolenS);
  return {
    wallS,
    toolCpuS: report.tool?.cpuS,
    sourceCpuS,
    targetCpuS,
    totalCpuS,
    peakMb: report.tool === undefined ? undefined : report.tool.peakBytes / 1e6,
    foreignCpuS: Math.max(0, machineS - totalCpuS),
    lagP50Ms: report.lag?.p50Ms,
    lagP99Ms: report.lag?.p99Ms,
    lagMaxMs: report.lag?.maxMs,
    transactionsPerS: report.lag?.transactionsPerS,
  };
}
