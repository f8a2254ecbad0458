import { asMigrationError } from "../core/error.ts";
import type { Attempt } from "./attempt.ts";

/**
 * Removes from the source what a task has made there that does not start after all: its stream, and what notes schema
 * changes unless another task needs it. That something of the latter stays is told, and no reason to say something else of
 * the start.
 */
export async function giveUpStart({ source, streamRequest, listener, spec, signal }: Attempt): Promise<void> {
  await source.dropStream(streamRequest, signal);
  try {
    await source.dropNotes(streamRequest, signal);
  } catch (error) {
    signal.throwIfAborted();
    const { code, message, remedy } = asMigrationError(error);
    listener.log("warn", "what notes schema changes stays on the source", {
      ...{ task: spec.name, code, reason: message, remedy },
    });
  }
}
