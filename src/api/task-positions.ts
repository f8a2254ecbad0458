import type { Engine } from "../core/engine.ts";
import type { MigrationType } from "../core/source.ts";
import { invalidCombination, invalidValue } from "./faults.ts";

export interface PositionRequest {
  readonly CdcStartTime?: Date | undefined;
  readonly CdcStartPosition?: string | undefined;
  readonly CdcStopPosition?: string | undefined;
}

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$/;

/** Where a cdc task starts: a position as given, or a time in UTC; undefined for now. */
export function cdcStart(request: PositionRequest, type: MigrationType): string | undefined {
  const { CdcStartTime: time, CdcStartPosition: position } = request;
  if (time !== undefined && position !== undefined) {
    throw invalidCombination("CdcStartTime and CdcStartPosition cannot both be given.");
  }
  if (time === undefined && (position === undefined || position === "")) return undefined;
  if (type !== "cdc") {
    throw invalidCombination(`A CDC start is valid only for tasks of migration type cdc, not ${type}.`);
  }
  return time === undefined ? position : time.toISOString().slice(0, "2018-02-09T12:12:12".length);
}

/** Whether a start by time is asked for. */
export function startsAtTime({ CdcStartTime: time, CdcStartPosition: position }: PositionRequest): boolean {
  return time !== undefined || (position !== undefined && TIME.test(position));
}

/** Refuses a start by time of a source whose log cannot be searched so. */
export function checkStartTime(
  request: PositionRequest,
  { capabilities, displayName }: Pick<Engine, "capabilities" | "displayName">,
): void {
  if (capabilities.startsAtTime || !startsAtTime(request)) return;
  throw invalidValue(
    `A CDC start by time is not supported by the source engine: the log of ${displayName} cannot be searched by time. Give its native position.`,
  );
}

/** Where a task that replicates changes stops by itself, as given. */
export function cdcStop(request: PositionRequest, type: MigrationType): string | undefined {
  const position = request.CdcStopPosition;
  if (position === undefined || position === "") return undefined;
  if (type === "full-load") throw invalidCombination("CdcStopPosition is not valid for full-load tasks.");
  const [, kind, time] = /^(server_time|commit_time):(.*)$/.exec(position) ?? [];
  if (
    kind !== undefined &&
    (time === undefined || !TIME.test(time) || Number.isNaN(Date.parse(`${time}Z`)))
  ) {
    throw invalidValue(`Invalid CdcStopPosition. Write ${kind}:2018-02-09T12:12:12 (UTC).`);
  }
  return position;
}
