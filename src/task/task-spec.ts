import type { EndpointConfig } from "../core/engine.ts";
import { MigrationError } from "../core/error.ts";
import { askedSettings } from "./asked-settings.ts";
import type { EndpointRecord, TaskRecord, WantedRetry } from "./records.ts";
import type { Store } from "./store.ts";
import type { StartMode, TaskSpec } from "./task.ts";

/** Name of an endpoint's only secret in the store. */
export const PASSWORD = "password";

/** A saved endpoint as an engine takes it, its password and CA included. */
export async function endpointConfig(store: Store, record: EndpointRecord): Promise<EndpointConfig> {
  const { certificateArn } = record;
  const certificate =
    certificateArn === undefined ? undefined : await store.get("certificate", certificateArn);
  return {
    engine: record.engineName,
    host: record.host,
    port: record.port,
    database: record.database,
    username: record.username,
    password: await store.secret(record.arn, PASSWORD),
    sslMode: record.sslMode,
    caCertificate: certificate?.pem,
    settings: record.settings,
  };
}

/** All that a worker needs to run a stored task. */
export async function taskSpec(store: Store, record: TaskRecord, start: StartMode): Promise<TaskSpec> {
  const source = await savedEndpoint(store, record.sourceArn);
  const target = await savedEndpoint(store, record.targetArn);
  return {
    id: record.taskId,
    name: record.identifier,
    type: record.migrationType,
    source: await endpointConfig(store, source),
    target: await endpointConfig(store, target),
    tableMappings: record.tableMappings,
    settings: askedSettings(record),
    start,
    startId: record.run === undefined ? undefined : String(record.run.freshMs),
    cdcStartPosition: nativePosition(record.cdcStartPosition),
    cdcStopPosition: record.cdcStopPosition,
    untilCaughtUp: false,
    retry: openRetry(record)?.wish,
  };
}

/** A wish to try rows again that nobody has answered. */
export function openRetry({ retry }: TaskRecord): WantedRetry | undefined {
  const state = retry?.progress?.state;
  return state === "done" || state === "failed" ? undefined : retry;
}

async function savedEndpoint(store: Store, arn: string): Promise<EndpointRecord> {
  const record = await store.get("endpoint", arn);
  if (record !== undefined) return record;
  throw new MigrationError("usage.invalid", {
    message: `The task's endpoint ${arn} is gone.`,
    remedy: "Create the endpoint again and a new task for it.",
  });
}

/** A checkpoint (`checkpoint:V1#1#<position>#...`) holds the native position as its third field. */
export function nativePosition(text: string | undefined): string | undefined {
  const fields = text?.replace(/^checkpoint:/, "").split("#");
  return fields?.[0]?.startsWith("V1") ? (fields[2] ?? text) : text;
}

/** The form in which AWS DMS returns a RecoveryCheckpoint. */
export function checkpointText(position: string): string {
  return position.startsWith("checkpoint:") ? position : `checkpoint:V1#1#${position}#0#0#*#0#0`;
}
