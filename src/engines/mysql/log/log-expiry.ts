import type { Client } from "../connection/client.ts";
import { globalVariables } from "./log-state.ts";

const SECONDS_OF_DAY = 86_400;

/** Seconds after which the server removes files of its log; undefined when it keeps them for good. */
export async function keepsFor(client: Client): Promise<number | undefined> {
  const variables = await globalVariables(client, ["binlog_expire_logs_seconds", "expire_logs_days"]);
  const seconds = Number(variables.get("binlog_expire_logs_seconds") ?? 0);
  // A part of a day is one, too: MariaDB takes 0.5.
  const days = Number(variables.get("expire_logs_days") ?? 0);
  const limit = seconds > 0 ? seconds : days * SECONDS_OF_DAY;
  return limit > 0 ? limit : undefined;
}
