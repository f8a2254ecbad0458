import { engineOf } from "../src/cli/migrate-spec.ts";
import type { TaskDisplay } from "../src/cli/task-display.ts";
import { mappingsFromPatterns } from "../src/mapping/selection.ts";
import { registry } from "../src/server/engines.ts";
import { runTask } from "../src/server/run-task.ts";
import type { RunningTask, TaskOutcome, TaskProgress, TaskSpec } from "../src/task/task.ts";
import type { Application, ApplicationStatistics } from "./demo-source.ts";

export interface Migration {
  readonly sourceUrl: string;
  readonly targetUrl: string;
  /** What is moved. */
  readonly patterns: readonly string[];
  readonly application: Application;
  readonly display: TaskDisplay;
  /** How long the target follows the application before that is stopped, in milliseconds. */
  readonly replicateMs: number;
}

export interface MigrationResult {
  readonly outcome: TaskOutcome;
  readonly application: ApplicationStatistics;
  /** From the application's last commit until the target had everything. */
  readonly withoutWritesMs: number;
}

/** Moves the database while the application writes, then stops the application and drains. */
export async function runMigration(migration: Migration): Promise<MigrationResult> {
  const { display, application } = migration;
  const replicating = Promise.withResolvers<void>();
  const running = runTask(taskSpec(migration), {
    progress(progress: TaskProgress): void {
      display.progress(progress);
      if (progress.phase === "replicating") replicating.resolve();
    },
    finding: display.finding.bind(display),
    log: display.log.bind(display),
  });
  const ended = Promise.race([running.outcome, application.ended]);
  await Promise.race([replicating.promise, ended]);
  await Promise.race([delay(migration.replicateMs), ended]);
  const statistics = await application.stop();
  const outcome = await drain(running);
  const withoutWritesMs = Date.now() - (statistics.lastCommitMs ?? Date.now());
  return { outcome, application: statistics, withoutWritesMs };
}

async function drain(running: RunningTask): Promise<TaskOutcome> {
  running.drain();
  return await running.outcome;
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function taskSpec(migration: Migration): TaskSpec {
  return {
    id: "demo",
    name: "demo",
    type: "full-load-and-cdc",
    source: engineOf(migration.sourceUrl, "source", registry).parseUrl(migration.sourceUrl, "source"),
    target: engineOf(migration.targetUrl, "target", registry).parseUrl(migration.targetUrl, "target"),
    tableMappings: mappingsFromPatterns(migration.patterns, []),
    // A server that is gone does not come back here: better to fail than to wait for it.
    settings: JSON.stringify({ ErrorBehavior: { RecoverableErrorCount: 3 } }),
    start: "start-replication",
    startId: undefined,
    cdcStartPosition: undefined,
    cdcStopPosition: undefined,
    untilCaughtUp: false,
  };
}
