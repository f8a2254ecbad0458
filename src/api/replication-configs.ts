import type {
  CreateReplicationConfigMessage,
  CreateReplicationConfigResponse,
  DeleteReplicationConfigMessage,
  DeleteReplicationConfigResponse,
  DescribeReplicationConfigsMessage,
  DescribeReplicationConfigsResponse,
  ModifyReplicationConfigMessage,
  ModifyReplicationConfigResponse,
} from "@aws-sdk/client-database-migration-service";
import { parseJson } from "../base/json-text.ts";
import { serviceEvent } from "../task/events.ts";
import type { TaskRecord } from "../task/records.ts";
import { nextTaskStatus } from "../task/state.ts";
import { checkIdentifier, makeArn, newResourceId } from "./arn.ts";
import { checkCompute } from "./compute-config.ts";
import { invalidCombination, invalidValue } from "./faults.ts";
import { page } from "./paging.ts";
import { configShape, type ServerlessTask } from "./replication-config-shape.ts";
import { findReplication, findReplications, serverless } from "./replications.ts";
import type { Call } from "./service.ts";
import { type Checked, checkEnum } from "./shapes.ts";
import { checkTags } from "./tag-rules.ts";
import { changedTask } from "./task-change.ts";
import { endpointOf, MIGRATION_TYPES, storeTask, taskDraft } from "./task-creation.ts";
import { changeTask, replications as face } from "./task-face.ts";
import { deleteTask } from "./task-orders.ts";

type ModifyRequest = Checked<ModifyReplicationConfigMessage>;

/** A configuration and its replication are one record: a task that runs in a process of its own. */
export async function createReplicationConfig(
  request: Checked<CreateReplicationConfigMessage>,
  call: Call,
): Promise<CreateReplicationConfigResponse> {
  checkEnum("ReplicationType", request.ReplicationType, MIGRATION_TYPES);
  checkIdentifier("ReplicationConfigIdentifier", request.ReplicationConfigIdentifier, 255);
  const tags = checkTags(request.Tags);
  const compute = await checkCompute(request.ComputeConfig, undefined, call);
  const arn = makeArn(call, "replication-config", newResourceId(request.ResourceIdentifier));
  const draft = {
    arn,
    identifier: request.ReplicationConfigIdentifier,
    sourceArn: request.SourceEndpointArn,
    targetArn: request.TargetEndpointArn,
    migrationType: request.ReplicationType,
    tableMappings: request.TableMappings,
    settings: request.ReplicationSettings,
    positions: {},
  };
  const supplementalSettings = checkSupplemental(request.SupplementalSettings);
  const record: ServerlessTask = {
    ...(await taskDraft(draft, call)),
    // Terraform's provider starts it as soon as this is answered.
    status: "ready",
    instanceArn: arn,
    serverless: { compute, supplementalSettings, updatedMs: Date.now() },
  };
  await storeTask(record, tags, call);
  return { ReplicationConfig: configShape(record) };
}

export async function describeReplicationConfigs(
  request: Checked<DescribeReplicationConfigsMessage>,
  call: Call,
): Promise<DescribeReplicationConfigsResponse> {
  const found = await findReplications(request.Filters, call);
  const { items, marker } = page(found, request, { key: (one) => one.arn });
  return { Marker: marker, ReplicationConfigs: items.map(configShape) };
}

/** Of a replication at rest. Endpoints may change until it has run: what it left is in their databases. */
export async function modifyReplicationConfig(
  request: ModifyRequest,
  call: Call,
): Promise<ModifyReplicationConfigResponse> {
  checkEnum("ReplicationType", request.ReplicationType, MIGRATION_TYPES);
  if (request.ReplicationConfigIdentifier !== undefined) {
    checkIdentifier("ReplicationConfigIdentifier", request.ReplicationConfigIdentifier, 255);
  }
  const arn = request.ReplicationConfigArn;
  const before = await findReplication(arn, call);
  const { ComputeConfig: asked, SourceEndpointArn: source, TargetEndpointArn: target } = request;
  const compute = asked && (await checkCompute(asked, before.serverless.compute, call));
  if (source !== undefined) await endpointOf("source", source, call);
  if (target !== undefined) await endpointOf("target", target, call);
  const record = await changeTask(
    {
      face,
      arn,
      change: (task) => modified(serverless(task), request, compute),
      companions: ({ identifier }) => ({ event: serviceEvent("taskModified", { identifier }) }),
    },
    call,
  );
  return { ReplicationConfig: configShape(serverless(record)) };
}

export async function deleteReplicationConfig(
  request: Checked<DeleteReplicationConfigMessage>,
  call: Call,
): Promise<DeleteReplicationConfigResponse> {
  const record = await deleteTask(face, request.ReplicationConfigArn, call);
  return { ReplicationConfig: configShape(serverless(record)) };
}

function modified(
  task: ServerlessTask,
  request: ModifyRequest,
  compute: ServerlessTask["serverless"]["compute"] | undefined,
): TaskRecord {
  const { ReplicationConfigArn: _which, ...changes } = request;
  if (Object.values(changes).every((value) => value === undefined)) {
    throw invalidCombination("No modifications were requested on the replication config.");
  }
  if (nextTaskStatus(task.status, "modify") === undefined) throw face.cannotModify(task);
  const sourceArn = request.SourceEndpointArn ?? task.sourceArn;
  const targetArn = request.TargetEndpointArn ?? task.targetArn;
  if (task.run !== undefined && (sourceArn !== task.sourceArn || targetArn !== task.targetArn)) {
    throw invalidCombination(
      `The endpoints of Replication Config ${task.arn} cannot be changed once its replication has run. Create another configuration.`,
    );
  }
  return {
    ...changedTask(task, {
      identifier: request.ReplicationConfigIdentifier,
      migrationType: request.ReplicationType,
      tableMappings: request.TableMappings,
      settings: request.ReplicationSettings,
      positions: {},
    }),
    sourceArn,
    targetArn,
    serverless: {
      ...task.serverless,
      compute: compute ?? task.serverless.compute,
      supplementalSettings:
        request.SupplementalSettings === undefined
          ? task.serverless.supplementalSettings
          : checkSupplemental(request.SupplementalSettings),
      updatedMs: Date.now(),
    },
  };
}

/** Kept and returned as given; it has settings for engines that Tideway has not. */
function checkSupplemental(text: string | undefined): string | undefined {
  if (text === undefined || text === "") return undefined;
  if (parseJson(text).valid) return text;
  throw invalidValue("Invalid supplemental settings JSON.");
}
