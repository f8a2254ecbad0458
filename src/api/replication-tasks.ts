import type {
  CreateReplicationTaskMessage,
  CreateReplicationTaskResponse,
  DeleteReplicationTaskMessage,
  DeleteReplicationTaskResponse,
  DescribeReplicationTasksMessage,
  DescribeReplicationTasksResponse,
} from "@aws-sdk/client-database-migration-service";
import { checkIdentifier, makeArn, newResourceId } from "./arn.ts";
import { filteredOrNotFound } from "./filters.ts";
import { page } from "./paging.ts";
import { usableInstance } from "./replication-instances.ts";
import { taskShape } from "./replication-task-shape.ts";
import type { Call } from "./service.ts";
import { type Checked, checkEnum } from "./shapes.ts";
import { checkTags } from "./tag-rules.ts";
import { MIGRATION_TYPES, storeTask, taskDraft } from "./task-creation.ts";
import { replicationTasks, tasksOf } from "./task-face.ts";
import { deleteTask } from "./task-orders.ts";

const face = replicationTasks;

export async function createReplicationTask(
  request: Checked<CreateReplicationTaskMessage>,
  call: Call,
): Promise<CreateReplicationTaskResponse> {
  checkEnum("MigrationType", request.MigrationType, MIGRATION_TYPES);
  checkIdentifier("ReplicationTaskIdentifier", request.ReplicationTaskIdentifier, 255);
  const tags = checkTags(request.Tags);
  const instance = await usableInstance(request.ReplicationInstanceArn, call);
  const arn = makeArn(call, "task", newResourceId(request.ResourceIdentifier));
  const draft = {
    arn,
    identifier: request.ReplicationTaskIdentifier,
    sourceArn: request.SourceEndpointArn,
    targetArn: request.TargetEndpointArn,
    migrationType: request.MigrationType,
    tableMappings: request.TableMappings,
    settings: request.ReplicationTaskSettings,
    positions: request,
  };
  const record = {
    ...(await taskDraft(draft, call)),
    instanceArn: instance.arn,
    taskData: request.TaskData,
  };
  await storeTask(record, tags, call);
  return { ReplicationTask: taskShape(record, call) };
}

export async function describeReplicationTasks(
  request: Checked<DescribeReplicationTasksMessage>,
  call: Call,
): Promise<DescribeReplicationTasksResponse> {
  const found = filteredOrNotFound(await tasksOf(face, call), request.Filters, {
    what: face.plural,
    names: {
      "replication-task-arn": (one) => one.arn,
      "replication-task-id": (one) => one.identifier,
      "migration-type": (one) => one.migrationType,
      "endpoint-arn": (one) => [one.sourceArn, one.targetArn],
      "replication-instance-arn": (one) => one.instanceArn,
    },
  });
  const { items, marker } = page(found, request, { key: (one) => one.arn });
  const options = { withoutSettings: request.WithoutSettings };
  return { Marker: marker, ReplicationTasks: items.map((record) => taskShape(record, call, options)) };
}

export async function deleteReplicationTask(
  request: Checked<DeleteReplicationTaskMessage>,
  call: Call,
): Promise<DeleteReplicationTaskResponse> {
  const record = await deleteTask(face, request.ReplicationTaskArn, call);
  return { ReplicationTask: taskShape(record, call) };
}
