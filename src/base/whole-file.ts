import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Writes a file that only its owner may read (mode 0600), in one step: whenever the machine stops, what was
 * there before is there, or all of the text. Takes PATH.new for its draft; one process at a time may write a path.
 */
export function writeWhole(path: string, text: string): void {
  const draft = `${path}.new`;
  // The mode counts for a file that is made here.
  rmSync(draft, { force: true });
  writeFileSync(draft, text, { mode: 0o600, flag: "wx", flush: true });
  putInPlace(draft, path);
}

/** Gives a draft that is on the disk its name, for good. */
export function putInPlace(draft: string, path: string): void {
  renameSync(draft, path);
  const directory = openSync(dirname(path), "r");
  try {
    fsyncSync(directory);
  } catch (error) {
    if (!CANNOT_SYNC.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
  } finally {
    closeSync(directory);
  }
}

/** What file systems answer that do not sync directories: shared folders, some network mounts. */
const CANNOT_SYNC: ReadonlySet<string> = new Set(["EINVAL", "EPERM"]);
