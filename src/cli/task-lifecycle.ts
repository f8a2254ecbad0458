import { readFile } from "node:fs/promises";
import {
  CreateReplicationTaskCommand,
  DeleteReplicationTaskCommand,
  type MigrationTypeValue,
} from "@aws-sdk/client-database-migration-service";
import { MigrationError } from "../core/error.ts";
import { type ApiOptions, withApi } from "./api-client.ts";
import { chosenInstance, findEndpoint, findTask, unlessGone } from "./api-resources.ts";
import type { Output } from "./output.ts";
import type { TaskRunContext } from "./task-run.ts";
import { printTask } from "./task-screens.ts";
import { waitUntil } from "./wait.ts";

export interface TaskCreateOptions extends ApiOptions {
  readonly source: string;
  readonly target: string;
  readonly instance?: string;
  readonly type: MigrationTypeValue;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly mappings?: string;
  readonly settings?: string;
  readonly cdcStartPosition?: string;
  readonly cdcStopPosition?: string;
}

export async function createTask(name: string, options: TaskCreateOptions, output: Output): Promise<void> {
  const tableMappings = await mappingsDocument(options);
  const settings = options.settings === undefined ? undefined : await readDocument(options.settings);
  const task = await withApi(options, async (client) => {
    const source = await findEndpoint(client, options.source);
    const target = await findEndpoint(client, options.target);
    const instance = await chosenInstance(client, options.instance);
    const created = await client.send(
      new CreateReplicationTaskCommand({
        ReplicationTaskIdentifier: name,
        SourceEndpointArn: source.EndpointArn,
        TargetEndpointArn: target.EndpointArn,
        ReplicationInstanceArn: instance.ReplicationInstanceArn,
        MigrationType: options.type,
        TableMappings: tableMappings,
        ...(settings === undefined ? {} : { ReplicationTaskSettings: settings }),
        ...(options.cdcStartPosition === undefined ? {} : { CdcStartPosition: options.cdcStartPosition }),
        ...(options.cdcStopPosition === undefined ? {} : { CdcStopPosition: options.cdcStopPosition }),
      }),
    );
    return created.ReplicationTask ?? {};
  });
  printTask(task, options, output);
}

export async function deleteTask(name: string, { options, output }: TaskRunContext): Promise<void> {
  await withApi(options, async (client) => {
    const { ReplicationTaskArn } = await findTask(client, name);
    await client.send(new DeleteReplicationTaskCommand({ ReplicationTaskArn }));
    if (!options.wait) return;
    await waitUntil({
      output,
      quiet: options.json,
      poll: () => findTask(client, name).catch(unlessGone),
      done: (task) => task === undefined,
      describe: (task) => `task ${name}: ${task?.Status ?? "deleted"}`,
    });
  });
}

async function mappingsDocument(options: TaskCreateOptions): Promise<string> {
  if (options.mappings === undefined) {
    const { mappingsFromPatterns } = await import("../mapping/selection.ts");
    return mappingsFromPatterns(options.include, options.exclude);
  }
  if (options.include.length + options.exclude.length === 0) return await readDocument(options.mappings);
  throw new MigrationError("usage.invalid", {
    message: "--mappings and --include/--exclude exclude each other.",
    remedy: "Put the patterns into the mappings.",
  });
}

/** A JSON document that the API takes as text. */
async function readDocument(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    throw new MigrationError("usage.invalid", {
      message: `${path} cannot be read (${code}).`,
      remedy: "Give the path of a JSON document.",
    });
  }
}
