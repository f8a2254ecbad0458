import { randomBytes } from "node:crypto";
import { open } from "node:fs/promises";
import { join } from "node:path";

/** "xlp_sysid", which stands behind the header that every page of the log has (xlog_internal.h). */
const OFFSET_IN_LOG = 24;
/** No struct ControlFileData of any version is longer (pg_control.h: PG_CONTROL_MAX_SAFE_SIZE). */
const CONTROL_BYTES = 512;
/** The reflected polynomial of CRC-32C. */
const CASTAGNOLI = 0x82f63b78;

/**
 * Gives a PostgreSQL cluster that initdb has made, and that was never started, another system identifier, as if
 * initdb had run again: it is the first field of the control file and stands at the head of the only log segment.
 */
export async function renewSystemIdentifier(data: string): Promise<void> {
  const identifier = randomBytes(8);
  // Servers show it as a signed number, and those that initdb gives are positive.
  identifier[7]! &= 0x7f;
  await patch(join(data, "global", "pg_control"), CONTROL_BYTES, (control) => {
    const checksum = checksumOffset(control);
    identifier.copy(control, 0);
    control.writeUInt32LE(crc32c(control, checksum), checksum);
  });
  await patch(join(data, "pg_wal", "000000010000000000000001"), OFFSET_IN_LOG + 8, (head) => {
    identifier.copy(head, OFFSET_IN_LOG);
  });
}

/** Changes so many bytes at the head of a file. */
async function patch(path: string, bytes: number, change: (head: Buffer) => void): Promise<void> {
  await using file = await open(path, "r+");
  const head = Buffer.alloc(bytes);
  await file.read(head, 0, bytes, 0);
  change(head);
  await file.write(head, 0, bytes, 0);
}

/** Where the control file's checksum is: behind the last field, of which each version has another number. */
function checksumOffset(control: Buffer): number {
  for (let at = 8; at < CONTROL_BYTES; at += 4) {
    if (crc32c(control, at) === control.readUInt32LE(at)) return at;
  }
  throw new Error("The control file's checksum was not found.");
}

function crc32c(bytes: Buffer, end: number): number {
  let crc = 0xffffffff;
  for (const byte of bytes.subarray(0, end)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (CASTAGNOLI & -(crc & 1));
  }
  return ~crc >>> 0;
}
