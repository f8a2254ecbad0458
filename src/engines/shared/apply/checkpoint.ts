import type { Position } from "../../../core/position.ts";

/*
 * DMS's form of a recovery checkpoint, which people may copy from its control table into CdcStartPosition: fields
 * between number signs, the third of which is the source's position. The last one, which DMS gives no meaning, says
 * which kind of log that is of.
 */

export function checkpoint({ kind, text }: Position): string {
  return `checkpoint:V1#1#${text}#0#0#*#0#${kind}`;
}

const FIELDS = /^checkpoint:V1#[^#]*#([^#]*)#.*#([^#]*)$/s;
/** What stands there in checkpoints of versions that knew one kind of log. */
const FIRST_KIND = "pg-lsn";

/** The position in a text that checkpoint() has made; undefined for another text. */
export function readCheckpoint(text: string): Position | undefined {
  const match = FIELDS.exec(text);
  if (match === null) return undefined;
  const [, position, kind] = match as unknown as [string, string, string];
  return { kind: kind === "0" ? FIRST_KIND : kind, text: position };
}
