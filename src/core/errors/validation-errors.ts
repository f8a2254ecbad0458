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
  "validation.no_room": {
    scope: "table",
    retry: "never",
    meaning:
      "Of a table more rows without a key differ than are held in memory, and their digests cannot be kept in the system's directory for temporary files: 20 bytes for each of these rows, some times over, with their values where these are told or repaired.",
    remedy: "Make room there, or name another directory in the variable TMPDIR.",
  },
  "validation.rows_differ": {
    scope: "record",
    retry: "never",
    meaning:
      "A task's validation has found rows of a table that the target lacks, has too many, or has with other values: they are recorded, with their keys, in awsdms_validation_failures_v1.",
    remedy:
      "Look up the keys in awsdms_validation_failures_v1 and find out who has written these rows on the target; then `tideway task repair` brings what the source has, or reload the table. Once they are equal their records go: at their next change, or when the table is compared anew (`tideway task reload --validate-only`).",
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
  "validation.repair_not_written": {
    scope: "task",
    retry: "never",
    meaning:
      "The statements of a repair cannot be written to a file. With --repair=apply they are kept in the system's directory for temporary files until they are carried out.",
    remedy: "Make room there, or name another directory: by the path of --repair, or in the variable TMPDIR.",
  },
  "validation.repair_under_task": {
    scope: "usage",
    retry: "never",
    meaning:
      "Rows cannot be repaired by --repair=apply while a task has still to bring changes of their tables: it would carry out changes once more that the repaired rows show already.",
    remedy:
      'Have the task itself bring the rows: "tideway task repair" those that its validation has found to differ (EnableValidation), "tideway task retry-errors" those that the target has refused, "tideway task reload --table" whole tables. If the task is not needed any more, stop it and remove its records by "tideway cleanup". Or leave its tables out.',
  },
  "validation.stopped": {
    scope: "task",
    retry: "never",
    meaning: "A comparison of two databases was stopped before its end.",
    remedy: "Run the command again; it begins anew, or goes on with --resume. It has changed nothing.",
  },
} as const satisfies Record<string, ErrorKind>;
