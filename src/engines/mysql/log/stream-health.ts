import type { Finding } from "../../../core/finding.ts";
import type { Position } from "../../../core/position.ts";
import type { StreamHealth } from "../../../core/source.ts";
import { finding } from "../../shared/finding.ts";
import type { Client } from "../connection/client.ts";
import { keepsFor } from "./log-expiry.ts";
import { type FilePlace, filePlace } from "./log-place.ts";

/** With fewer files the oldest is where every reader begins. */
const SAFE_FILES = 3;

/**
 * How far a reader that has applied everything up to a position is behind, and whether its log is about to be lost. Of
 * GTIDs the start of the file counts: a server does not tell where in a file they are. Undefined for a user who
 * may not ask, and where the log does not reach back to the position.
 */
export async function streamHealth(client: Client, confirmed: Position): Promise<StreamHealth | undefined> {
  const place = await filePlace(client, confirmed);
  if (place === undefined) return undefined;
  const behindBytes = bytesAfter(place);
  return { findings: await atRisk(client, place), behindBytes, keptBytes: behindBytes };
}

function bytesAfter({ files, at, byte }: FilePlace): number {
  let bytes = -byte;
  for (const file of files.slice(at)) bytes += file.bytes;
  return Math.max(0, bytes);
}

/** The server removes whole files, the oldest first, as they come of age. */
async function atRisk(client: Client, { files, at }: FilePlace): Promise<readonly Finding[]> {
  if (at > 0 || files.length < SAFE_FILES || (await keepsFor(client)) === undefined) return [];
  return [
    finding("source.binary_log_at_risk", "warning", {
      subject: files[0]!.name,
      message: `The task has come no further than the oldest of the ${files.length} files of the source's binary log, ${files[0]!.name}, and the source removes files as they come of age.`,
    }),
  ];
}
