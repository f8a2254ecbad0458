import { createHash } from "node:crypto";

const LONGEST = 64;

/** Name of the server's lock that a session holds while it works on a task: MySQL shows nobody what a session is for. */
export function lockName(taskId: string): string {
  const name = `tideway ${taskId}`;
  if (name.length <= LONGEST) return name;
  return `tideway ${createHash("sha256").update(taskId).digest("base64url")}`;
}
