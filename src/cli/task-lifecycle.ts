import {
  CreateReplicationTaskCommand,
  DeleteReplicationTaskCommand,
} from "@aws-sdk/client-database-migration-service";
import { type ApiOptions, withApi } from "./api-client.ts";
import { chosenInstance, findEndpoint, findTask, unlessGone } from "./api-resources.ts";
import { mappingsDocument, settingsDocument } from "./migrate-spec.ts";
import type { Output } from "./output.ts";
import type { TaskRunContext } from "./task-run.ts";
import { printTask } from "./task-screens.ts";
import { waitUntil } from "./wait.ts";
import type { WhatToMove } from "./what-to-move.ts";

export interface TaskCreateOptions extends ApiOptions, WhatToMove {
  readonly source: string;
  readonly target: string;
  readonly instance?: string;
  readonly cdcStartPosition?: string;
  readonly cdcStopPosition?: string;
}

export async function createTask(name: string, options: TaskCreateOptions, output: Output): Promise<void> {
  const { mappingsFromPatterns } = await import("../mapping/selection.ts");
  const tableMappings = await mappingsDocument(options, { mappingsFromPatterns });
  const document = await settingsDocument(options);
  const settings = options.settings === undefined && document === "{}" ? undefined : document;
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
