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
  "validation.rows_differ": {
    scope: "record",
    retry: "never",
    meaning:
      "A task's validation has found rows of a table that the target lacks, has too many, or has with other values: they are recorded, with their keys, in awsdms_validation_failures_v1.",
    remedy:
      "Look up the keys in awsdms_validation_failures_v1 and find out who has written these rows on the target; reload the table, or correct them. Once they are equal their records go: at their next change, or when the table is compared anew (`tideway task reload --validate-only`).",
  },
  "validation.other_request": {
    scope: "usage",
    retry: "never",
    meaning:
      "The file of --resume belongs to a comparison of other databases, or to one that was asked for otherwise.",
    remedy: "Give the same URLs and options as for that comparison, or another file.",
  },
  "validation.progress_file": {
    scope: "usage",
    retry: "never",
    meaning: "The file of --resume cannot be read or written, or is none that a comparison has made.",
    remedy:
      "Give a path in a directory that can be written, where nothing is or what an earlier run has left there.",
  },
  "validation.stopped": {
    scope: "task",
    retry: "never",
    meaning: "A comparison of two databases was stopped before its end.",
    remedy: "Run the command again; it begins anew, or goes on with --resume. It has changed nothing.",
  },
} as const satisfies Record<string, ErrorKind>;
