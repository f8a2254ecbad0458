import { MigrationError } from "../core/error.ts";

/**
 * Result codes of SQLite that space helps against: FULL, and of the errors of the file system those as which
 * quotas show: IOERR_WRITE, IOERR_FSYNC, IOERR_TRUNCATE and IOERR_SHMSIZE. The others are those of a broken disk.
 */
const noSpace: ReadonlySet<number> = new Set([13, 778, 1034, 1546, 4874]);

/** What to throw of an error of SQLite: `server.store_full` where space helps. */
export function writeError(error: unknown): unknown {
  const result = error instanceof Error && "errcode" in error ? Number(error.errcode) : undefined;
  if (result === undefined || !noSpace.has(result)) return error;
  return new MigrationError("server.store_full", {
    message: "The data directory's disk is full, or cannot be written.",
    cause: error,
  });
}
