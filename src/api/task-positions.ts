import type { MigrationType } from "../core/source.ts";
import { invalidCombination, invalidValue } from "./faults.ts";

export interface PositionRequest {
  readonly CdcStartTime?: Date | undefined;
  readonly CdcStartPosition?: string | undefined;
  readonly CdcStopPosition?: string | undefined;
}

const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$/;

/**
 * Where a cdc task starts, as given; undefined for now. Times are refused: PostgreSQL's log cannot be
 * searched by time.
 */
export function cdcStart(request: PositionRequest, type: MigrationType): string | undefined {
  const { CdcStartTime: time, CdcStartPosition: position } = request;
  if (time !== undefined && position !== undefined) {
    throw invalidCombination("CdcStartTime and CdcStartPosition cannot both be given.");
  }
  if (time === undefined && (position === undefined || position === "")) return undefined;
  if (type !== "cdc") {
    throw invalidCombination(`A CDC start is valid only for tasks of migration type cdc, not ${type}.`);
  }
  if (position === undefined || TIME.test(position)) {
    throw invalidValue(
      "A CDC start by time is not supported by the source engine. Give its native position.",
    );
  }
  return position;
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
