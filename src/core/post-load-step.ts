import type { TablePlan } from "./plan.ts";
import type { TableId } from "./schema.ts";

/**
 * One piece of work after a table's rows are in, as plain data. Steps of one table run in stage order;
 * within a stage in parallel. "key", "index" and "vacuum" may run as soon as the table is loaded;
 * "unique" and "foreign-key" hold only when all tables show one moment of the source, so they wait for
 * the stream to pass the newest snapshot; "analyze" comes last, for what "vacuum" came too early for.
 */
export interface PostLoadStep {
  readonly stage: PostLoadStage;
  readonly plan: TablePlan;
  readonly object: "index" | "replica-identity" | "check" | "foreign-key" | "table";
  /** The object's name, for progress and errors. */
  readonly subject: string;
  /** Steps that name a common table here would wait for each other's locks; they are not run at once. */
  readonly locks: readonly TableId[];
}

export type PostLoadStage = "key" | "index" | "vacuum" | "unique" | "foreign-key" | "analyze";
