import type { DatabaseMigrationServiceClient } from "@aws-sdk/client-database-migration-service";
import { findTask } from "./api-resources.ts";
import { ReportedFault } from "./output.ts";
import type { TaskRunContext } from "./task-run.ts";
import { waitUntil } from "./wait.ts";

/** What the API tells of a wish to bring recorded rows (docs/api.md). */
export interface ToldWish {
  readonly Number: number;
  readonly Status: "waiting" | "running" | "done" | "failed";
  readonly Failure?: string;
  readonly Tables: readonly { readonly Recorded: number; readonly Settled: number }[];
}

interface Waiting<Told extends ToldWish> extends TaskRunContext {
  readonly name: string;
  readonly number: number;
  /** Undefined when the task's last wish is another one's. */
  readonly ask: () => Promise<Told | undefined>;
  /** What is told when it does not come to its end, and how rows are dealt with. */
  readonly words: WishWords;
}

export interface WishWords {
  readonly code: "task.retry_failed" | "task.repair_failed";
  readonly done: "tried again" | "repaired";
  readonly another: string;
  /** What for, before rows are looked at. */
  readonly waits: string;
}

/** Resolves when a task has answered a wish. */
export async function waitForWish<Told extends ToldWish>(
  client: DatabaseMigrationServiceClient,
  { name, number, ask, words, options, output }: Waiting<Told>,
): Promise<Told> {
  const isOver = ({ Status }: Told): boolean => Status === "done" || Status === "failed";
  return await waitUntil({
    output,
    quiet: options.json,
    poll: async () => {
      const { Status } = await findTask(client, name);
      const told = await ask();
      if (told?.Number !== number) throw new ReportedFault(words.code, words.another);
      if (isOver(told) || Status === "running" || Status === "starting") return told;
      throw new ReportedFault(
        "task.not_running",
        `Task ${name} is ${Status}; rows are ${words.done} when it is resumed.`,
      );
    },
    done: isOver,
    describe: ({ Status, Tables }) => {
      if (Status === "waiting") return `task ${name}: waits ${words.waits}`;
      const of = (member: "Recorded" | "Settled"): number =>
        Tables.reduce((sum, table) => sum + table[member], 0);
      return `task ${name}: ${of("Settled")} of ${of("Recorded")} recorded rows are settled`;
    },
  });
}
