import type { EndpointConfig, EndpointRole } from "../../../core/engine.ts";
import { openClient } from "./open-client.ts";
import type { ServerFacts } from "./server-facts.ts";

/** Nobody waits longer than this for a server that may be gone itself. */
const PATIENCE_MS = 5_000;

/**
 * Ends a session whose connection was cut: a server that runs a statement notices that only when it writes the
 * answer. Never throws: a server that cannot be reached has ended the session, or will.
 */
export async function killSession(
  endpoint: EndpointConfig,
  side: EndpointRole,
  session: { readonly threadId: number; readonly facts: ServerFacts },
): Promise<void> {
  const limit = AbortSignal.timeout(PATIENCE_MS);
  try {
    const client = await openClient(
      endpoint,
      { side, purpose: "tideway kill", timeoutMs: PATIENCE_MS },
      limit,
    );
    try {
      // Another server behind the same address gives the number to somebody else.
      if (client.facts.identity === session.facts.identity) await client.execute(`kill ${session.threadId}`);
    } finally {
      await client.end();
    }
  } catch {
    // It has ended already, or the server has.
  }
}
