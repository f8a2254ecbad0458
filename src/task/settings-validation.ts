import { choice, does, flag, idle, type SettingSection, whole } from "./settings-value.ts";

const BY_DIGESTS =
  "Tables are compared by sums of digests that each server computes in one scan, and cut into parts of a size that fits.";
const NO_LIMIT = "All differences are recorded, however many there are, and none ends the comparison.";
const AS_CONFIRMED =
  "A difference is recorded once it is confirmed: rows are read again until they are the same or stay other, and the place that the task has come to says which of them are only late.";

export const validationSettings: SettingSection = {
  EnableValidation: [
    flag(false),
    "Compares source and target.",
    does(
      "Each table is compared whole once it is loaded and its changes have come, then the rows that changes concern: see [Comparing two databases](../validation.md#in-a-task).",
    ),
  ],
  ValidationMode: [choice("ROW_LEVEL", "GROUP_LEVEL"), "How it compares.", idle(BY_DIGESTS)],
  ThreadCount: [
    whole(5, 1),
    "Threads that compare.",
    does("So many sessions of each side compare whole tables, and as many the rows that have changed."),
  ],
  PartitionSize: [whole(10_000, 1), "Rows a thread compares at once.", idle(BY_DIGESTS)],
  FailureMaxCount: [whole(10_000), "Differences of a task that end its validation.", idle(NO_LIMIT)],
  TableFailureMaxCount: [whole(1000), "Differences of a table that end its validation.", idle(NO_LIMIT)],
  RecordFailureDelayInMinutes: [whole(5), "Minutes before a difference is reported.", idle(AS_CONFIRMED)],
  RecordSuspendDelayInMinutes: [
    whole(30),
    "Minutes before a table's validation is suspended.",
    idle(
      "The validation of no table is suspended. A row that is written faster than it can be read for two minutes counts as suspended until it is written again.",
    ),
  ],
  RecordFailureDelayLimitInMinutes: [
    whole(0),
    "Most minutes before a difference is reported.",
    idle(AS_CONFIRMED),
  ],
  MaxKeyColumnSize: [
    whole(8096),
    "Longest key that is compared.",
    idle("Keys of any length are compared, and tables without one."),
  ],
  ValidationOnly: [
    flag(false),
    "Only compares and moves nothing; needs TargetTablePrepMode DO_NOTHING and cannot be modified.",
    does(
      "A task of the type full-load compares all tables once and ends, one of the type cdc goes on with the rows that changes concern; nothing is written to the target but its control tables. Needs EnableValidation. The type full-load-and-cdc is refused.",
    ),
  ],
  HandleCollationDiff: [
    flag(false),
    "Allows for collations that differ.",
    idle("Rows are compared in no order, so collations make no difference."),
  ],
  SkipLobColumns: [
    flag(false),
    "Leaves large values out.",
    does("Columns that AWS DMS counts among large objects are not compared."),
  ],
  ValidationPartialLobSize: [
    whole(0),
    "KB of a large value that are compared; 0 for all.",
    idle(
      "Large values are compared in full: each server computes their digests, and no more passes the network.",
    ),
  ],
  ValidationQueryCdcDelaySeconds: [
    whole(0),
    "Seconds by which queries are held back.",
    does("Rows that changes concern are compared no sooner than so long after the changes."),
  ],
};

/** What a run takes from the section. */
export interface ValidationSettings {
  readonly enabled: boolean;
  /** Nothing is moved. */
  readonly only: boolean;
  /** Sessions of each side that compare whole tables, and as many for rows that have changed. */
  readonly sessions: number;
  /** Columns of large objects are not compared. */
  readonly skipsLobs: boolean;
  /** How long after a change its row is compared at the earliest. */
  readonly delayMs: number;
}

/** `section`: the document's, with all its defaults. */
export function readValidation(section: Readonly<Record<string, unknown>>): ValidationSettings {
  return {
    enabled: section["EnableValidation"] === true,
    only: section["ValidationOnly"] === true,
    sessions: section["ThreadCount"] as number,
    skipsLobs: section["SkipLobColumns"] === true,
    delayMs: (section["ValidationQueryCdcDelaySeconds"] as number) * 1000,
  };
}
