/** DMS's form of a checkpoint; the third field is the source's position. */
const CHECKPOINT = /^(?:checkpoint:)?V1#[^#]*#([^#]*)(?:#.*)?$/;

/** A position's text as awsdms_txn_state keeps it, from where people may copy it into CdcStartPosition. */
export function checkpointText(positionText: string): string {
  return `checkpoint:V1#1#${positionText}#0#0#*#0#0`;
}

/** The text of the position in a checkpoint; any other text is one itself. */
export function positionInCheckpoint(text: string): string {
  const trimmed = text.trim();
  return CHECKPOINT.exec(trimmed)?.[1] ?? trimmed;
}
