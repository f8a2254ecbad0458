import { MigrationError } from "../../../core/error.ts";
import { ServerError } from "../connection/server-error.ts";
import type { StatementFailure } from "./apply-failure.ts";

const LOCK_WAIT = 1205;
const DEADLOCK = 1213;
/** MySQL 8: a member of a group has seen another one's change of the same row. */
const ROLLED_BACK = 3101;

/** The server has given the transaction up for another's sake: the same may well go through now. */
export function mayRetry({ error }: StatementFailure): boolean {
  if (!(error instanceof ServerError)) return false;
  const { number } = error.fields;
  return number === LOCK_WAIT || number === DEADLOCK || number === ROLLED_BACK;
}

/**
 * Errors that concern the session or the server. All others may be those of a row or of a statement that this target
 * does not take: one by one the changes may go through, and if not the right error is told.
 */
const SERVER_STATES = /^(?:08|25|40|70)/;
const SERVER_NUMBERS = new Set([
  1021, 1030, 1037, 1038, 1040, 1041, 1053, 1077, 1114, 1152, 1205, 1206, 1290, 1317, 1792, 1836, 1927, 1969,
  3024, 3101,
]);

export function isOwnRow({ error }: StatementFailure): boolean {
  if (error instanceof MigrationError) return false;
  if (!(error instanceof ServerError)) return false;
  const { number, state } = error.fields;
  return !SERVER_STATES.test(state) && !SERVER_NUMBERS.has(number);
}
