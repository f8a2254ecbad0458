import { parseJson } from "../base/json-text.ts";
import { MigrationError } from "../core/error.ts";
import { applicableAssessments } from "../task/individual-assessments.ts";
import type { AssessmentRunRecord, TaskRecord } from "../task/records.ts";
import { isUnderWay, lastFailure } from "./assessment-run-shape.ts";
import { carryOut, chosen, pairOf, runName, storeRun } from "./assessment-runs.ts";
import { BUCKET } from "./assessments.ts";
import { invalidValue } from "./faults.ts";
import { type Call, inBackground, type Service } from "./service.ts";
import { findTask } from "./task-face.ts";
import { type StartOrder, startTask } from "./task-orders.ts";

/*
 * Assessments that a serverless replication is started with. The start is stored first and waits for the run: a server that
 * ends meanwhile carries the run out again.
 */

const WHAT = "PremigrationAssessmentSettings";

interface PremigrationSettings {
  readonly ResultLocationBucket?: string;
  readonly ResultLocationFolder?: string;
  readonly ResultEncryptionMode?: string;
  readonly ResultKmsKeyArn?: string;
  readonly IncludeOnly?: readonly string[];
  readonly Exclude?: readonly string[];
  readonly FailOnAssessmentFailure?: boolean;
}

/** Starts a replication that is assessed first. Throws faults for settings that cannot be, before anything is stored. */
export async function startAssessed(order: StartOrder, settings: string, call: Call): Promise<TaskRecord> {
  const wishes = readSettings(settings);
  const task = await findTask(order.face, order.arn, call);
  const names = chosen(applicableAssessments(await pairOf(task, call)), wishes);
  const run = await storeRun(
    task,
    {
      ...{ name: runName("premigration"), names, serviceAccessRoleArn: "" },
      resultLocationBucket: wishes.ResultLocationBucket ?? BUCKET,
      resultLocationFolder: wishes.ResultLocationFolder,
      resultEncryptionMode: wishes.ResultEncryptionMode,
      resultKmsKeyArn: wishes.ResultKmsKeyArn,
      failsStart: wishes.FailOnAssessmentFailure ?? true,
    },
    { call, tags: [] },
  );
  const waiting = ({ serverless, ...started }: TaskRecord): TaskRecord => ({
    ...started,
    serverless: serverless && { ...serverless, awaits: run.arn },
  });
  try {
    const started = await startTask({ ...order, wanted: waiting }, call);
    inBackground(call, () => assessAndStart(started, call));
    return started;
  } catch (error) {
    await call.store.remove("assessment-run", run.arn);
    throw error;
  }
}

/** Carries out the run that a start waits for, if it has not ended; then the start goes on, or fails. */
export async function assessAndStart(task: TaskRecord, service: Service): Promise<void> {
  const { store, supervisor } = service;
  const awaited = task.serverless?.awaits;
  if (awaited === undefined) return;
  const stored = await store.get("assessment-run", awaited);
  const run =
    stored !== undefined && isUnderWay(stored)
      ? await carryOut(stored, { task, pair: await pairOf(task, service) }, service)
      : stored;
  // The next server does it again.
  if (supervisor.isClosing) return;
  const isRefused = run === undefined || (run.failsStart === true && !hasPassed(run));
  const waits = ({ status, serverless }: TaskRecord): boolean =>
    status === "starting" && serverless?.awaits === awaited;
  if (isRefused) {
    const now = await store.get("task", task.arn);
    if (now !== undefined && waits(now)) supervisor.refuseStart(now, refusal(now, run));
    return;
  }
  supervisor.ledger.inOrder(`start ${task.arn}`, async () => {
    const now = await store.update("task", task.arn, (record) =>
      waits(record) ? { ...record, serverless: { ...record.serverless!, awaits: undefined } } : record,
    );
    const isDue = now?.status === "starting" && now.serverless?.awaits === undefined;
    if (isDue && !supervisor.isClosing) await supervisor.runTask(now);
  });
}

/** A start that is given up takes its assessment with it. */
export async function endAssessment({ serverless }: TaskRecord, { store }: Call): Promise<void> {
  if (serverless?.awaits === undefined) return;
  await store.update("assessment-run", serverless.awaits, (run) =>
    isUnderWay(run) ? { ...run, status: "cancelling" } : run,
  );
}

function hasPassed({ status }: AssessmentRunRecord): boolean {
  return status === "passed" || status === "warning";
}

function refusal({ identifier }: TaskRecord, run: AssessmentRunRecord | undefined): MigrationError {
  const failed = run?.results.filter(({ status }) => status === "failed").map(({ name }) => name) ?? [];
  const which = failed.length === 0 ? "" : ` by ${failed.join(", ")}`;
  const why = run === undefined ? "Its run was deleted." : (lastFailure(run) ?? "");
  return new MigrationError("task.premigration_failed", {
    message: `The premigration assessment has failed${which}. ${why}`.trimEnd(),
    subject: identifier,
  });
}

/** The document's members, checked. Names may stand in one text with spaces between, too. */
function readSettings(document: string): PremigrationSettings {
  const json = parseJson(document);
  if (!json.valid) throw invalidValue(`${WHAT} is no JSON: ${json.place}.`);
  const { value } = json;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalidValue(`${WHAT} must be a JSON object.`);
  }
  return Object.fromEntries(Object.entries(value).map(([name, given]) => [name, readMember(name, given)]));
}

function readMember(name: string, given: unknown): unknown {
  const refuse = (what: string): Error => invalidValue(`${WHAT}: ${name} must be ${what}.`);
  switch (name) {
    case "ResultLocationBucket":
    case "ResultLocationFolder":
    case "ResultKmsKeyArn":
      if (typeof given !== "string") throw refuse("a text");
      return given;
    case "ResultEncryptionMode":
      if (given !== "SSE_S3" && given !== "SSE_KMS") throw refuse("SSE_S3 or SSE_KMS");
      return given;
    case "IncludeOnly":
    case "Exclude": {
      const names = typeof given === "string" ? given.split(" ").filter((one) => one !== "") : given;
      if (!Array.isArray(names) || !names.every((one) => typeof one === "string")) {
        throw refuse("a list of names");
      }
      return names;
    }
    case "FailOnAssessmentFailure":
      if (typeof given !== "boolean") throw refuse("true or false");
      return given;
    default:
      throw invalidValue(`${WHAT}: ${name} is not known.`);
  }
}
