/**
 * Engines that have a table's rows for themselves and keep them. With another some or all of them may be gone, and the log
 * does not tell of that: BLACKHOLE takes none, MEMORY forgets them, FEDERATED shows those of another server.
 */
const KEEPING = new Set(["innodb", "myisam", "aria", "rocksdb", "tokudb", "archive", "csv"]);

/** Whether a table that gets this engine has the same rows as before. */
export function keepsRows(engine: string): boolean {
  return KEEPING.has(engine.toLowerCase());
}
