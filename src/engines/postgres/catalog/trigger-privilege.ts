import type pg from "pg";
import { errorCode } from "../connection/error-code.ts";

const INSUFFICIENT_PRIVILEGE = "42501";

/**
 * Whether the client's role may keep triggers and foreign keys from acting in its sessions. There is no
 * asking for this privilege before version 15: it is tried, and taken back.
 */
export async function maySilenceTriggers(client: pg.Client): Promise<boolean> {
  await client.query("begin");
  try {
    await client.query("set local session_replication_role = replica");
    return true;
  } catch (error) {
    if (errorCode(error) !== INSUFFICIENT_PRIVILEGE) throw error;
    return false;
  } finally {
    await client.query("rollback");
  }
}
