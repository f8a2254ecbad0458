import type { ErrorKind } from "../error.ts";

/** Comparing what two databases hold. */
export const validationErrors = {
  "validation.digest_failed": {
    scope: "table",
    retry: "never",
    meaning: "A server has not come to a digest for each row of a table that it was to compare by digests.",
    remedy:
      "On MySQL and MariaDB raise max_allowed_packet, which no value or row may be longer than. Else report it: rows were not compared.",
  },
  "validation.stopped": {
    scope: "task",
    retry: "never",
    meaning: "A comparison of two databases was stopped before its end.",
    remedy: "Run the command again; it begins anew, and has changed nothing.",
  },
} as const satisfies Record<string, ErrorKind>;
