/** PostgreSQL 12. */
export const OLDEST_VERSION = 120_000;
