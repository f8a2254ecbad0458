import type { EndpointConfig } from "../core/engine.ts";
import { type Assessment, type AssessmentOrder, runAssessment } from "../task/run-assessment.ts";
import { registry } from "./engines.ts";

export interface MigrationToAssess extends Pick<AssessmentOrder, "spec" | "estimates" | "freeBytes"> {
  readonly source: EndpointConfig;
  /** Without one only the source is looked at. */
  readonly target?: EndpointConfig | undefined;
}

/** Opens both sides and assesses what is to be moved. Nothing is changed anywhere. */
export async function assessMigration(
  { source: from, target: to, ...order }: MigrationToAssess,
  signal: AbortSignal,
): Promise<Assessment> {
  await using opened = new AsyncDisposableStack();
  const reads = registry.find(from.engine);
  const source = opened.use(await reads.openSource(from, signal));
  const writes = to === undefined ? undefined : registry.find(to.engine);
  const target = writes === undefined ? undefined : opened.use(await writes.openTarget(to!, signal));
  const isOneKind = writes === undefined || writes === reads;
  return await runAssessment({ ...order, source, target, isOneKind }, signal);
}
