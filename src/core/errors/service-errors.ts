import type { ErrorKind } from "../error.ts";

/** Tasks and the service around them. */
export const serviceErrors = {
  "task.stopped_by_request": {
    scope: "task",
    retry: "never",
    meaning: "The task was stopped on request.",
    remedy: "Start it again with resume-processing.",
  },
  "task.premigration_failed": {
    scope: "task",
    retry: "never",
    meaning:
      "The premigration assessment that a replication was started with has failed, and FailOnAssessmentFailure keeps the replication from starting.",
    remedy:
      "Mend what it has found, then start the replication again; or set FailOnAssessmentFailure to false.",
  },
  "task.worker_died": {
    scope: "task",
    retry: "backoff",
    meaning: "The replication instance's process ended; its tasks resume in a new one.",
    remedy: "None needed; if it goes on, give the instance a larger class.",
  },
  "task.retries_exhausted": {
    scope: "task",
    retry: "never",
    meaning: "A recoverable error came back more often than RecoverableErrorCount allows.",
    remedy: "Mend the cause named in the message and start the task with resume-processing.",
  },
  "server.data_dir": {
    scope: "server",
    retry: "never",
    meaning: "The data directory cannot be used.",
    remedy: "Give a directory that this user can write and no other Tideway uses, with --data-dir.",
  },
  "server.store_full": {
    scope: "server",
    retry: "backoff",
    meaning: "The data directory's disk is full, or cannot be written.",
    remedy:
      "Free disk space there; tasks go on meanwhile, and what they tell is stored as soon as it can be.",
  },
  "server.address_in_use": {
    scope: "server",
    retry: "never",
    meaning: "The address to listen on is taken.",
    remedy: "Stop the other process or choose another --port.",
  },
  "server.unreachable": {
    scope: "usage",
    retry: "never",
    meaning: "No Tideway server answers at the given address.",
    remedy: "Start one with `tideway serve`, or give its address with --endpoint-url.",
  },
  "server.secret_key": {
    scope: "server",
    retry: "never",
    meaning: "Stored secrets cannot be decrypted with the key at hand.",
    remedy:
      "Restore the data directory's key file or set TIDEWAY_SECRET_KEY to the key they were stored with.",
  },
  "internal.unexpected": {
    scope: "task",
    retry: "never",
    meaning: "A defect in Tideway.",
    remedy: "Report it with the log; start the task with resume-processing.",
  },
} as const satisfies Record<string, ErrorKind>;
