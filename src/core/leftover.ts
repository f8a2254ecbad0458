/** Something that tasks have made in a database for themselves, beside what they have moved there. */
export interface Leftover {
  readonly kind:
    | "replication slot"
    | "publication"
    | "event triggers"
    | "replication origin"
    | "task records"
    | "control table";
  readonly name: string;
  /** The task it was made for; undefined for what all tasks share. */
  readonly taskId: string | undefined;
  /** Somebody works with it now. It is not removed. */
  readonly inUse: boolean;
  /** What it costs or holds, for people. */
  readonly detail: string;
}
