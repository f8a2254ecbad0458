import type {
  CreateReplicationInstanceMessage,
  CreateReplicationInstanceResponse,
  DeleteReplicationInstanceMessage,
  DeleteReplicationInstanceResponse,
  DescribeReplicationInstancesMessage,
  DescribeReplicationInstancesResponse,
  DescribeReplicationInstanceTaskLogsMessage,
  DescribeReplicationInstanceTaskLogsResponse,
} from "@aws-sdk/client-database-migration-service";
import { failpoint } from "../base/failpoint.ts";
import { serviceEvent } from "../task/events.ts";
import { findInstanceClass } from "../task/instance-class.ts";
import type { InstanceRecord } from "../task/records.ts";
import { nextInstanceStatus } from "../task/state.ts";
import { checkIdentifier, makeArn, newResourceId } from "./arn.ts";
import { checkEngineVersion, DEFAULT_ENGINE_VERSION } from "./engine-versions.ts";
import { alreadyExists, type Fault, invalidState, invalidValue, notFound } from "./faults.ts";
import { filteredOrNotFound } from "./filters.ts";
import { page } from "./paging.ts";
import { instanceShape } from "./replication-instance-shape.ts";
import { type Call, inBackground } from "./service.ts";
import type { Checked } from "./shapes.ts";
import { DEFAULT_SUBNET_GROUP } from "./subnet-group-shape.ts";
import { findSubnetGroup } from "./subnet-groups.ts";
import { checkTags } from "./tag-rules.ts";

const DEFAULT_STORAGE_GB = 50;

export async function createReplicationInstance(
  request: Checked<CreateReplicationInstanceMessage>,
  call: Call,
): Promise<CreateReplicationInstanceResponse> {
  const tags = checkTags(request.Tags);
  const record = await newInstance(request, call);
  const event = serviceEvent("instanceCreating", { identifier: record.identifier });
  if (!(await call.store.insert("instance", record, { tags, event }))) {
    throw alreadyExists(`Replication instance ${record.identifier} already exists.`);
  }
  failpoint("service.instance-stored");
  call.supervisor.startInstance(record);
  return { ReplicationInstance: await instanceShape(record, call) };
}

export async function describeReplicationInstances(
  request: Checked<DescribeReplicationInstancesMessage>,
  call: Call,
): Promise<DescribeReplicationInstancesResponse> {
  const found = filteredOrNotFound(await call.store.list("instance"), request.Filters, {
    what: "Replication Instances",
    names: {
      "replication-instance-arn": (one) => one.arn,
      "replication-instance-id": (one) => one.identifier,
      "replication-instance-class": (one) => one.instanceClass,
      "engine-version": (one) => one.engineVersion,
    },
  });
  const { items, marker } = page(found, request, { key: (one) => one.arn });
  const shapes = items.map((record) => instanceShape(record, call));
  return { Marker: marker, ReplicationInstances: await Promise.all(shapes) };
}

export async function deleteReplicationInstance(
  request: Checked<DeleteReplicationInstanceMessage>,
  call: Call,
): Promise<DeleteReplicationInstanceResponse> {
  const arn = request.ReplicationInstanceArn;
  const tasks = await call.store.list("task");
  const task = tasks.find((one) => one.instanceArn === arn);
  if (task !== undefined) {
    throw invalidState(
      `Replication instance ${arn} cannot be deleted: replication task ${task.identifier} is on it. Delete its tasks first.`,
    );
  }
  const record = await moveInstance(arn, "delete", call);
  call.supervisor.ledger.happened(serviceEvent("instanceDeleting", { identifier: record.identifier }));
  inBackground(call, () => finishDeletion(record, call));
  return { ReplicationInstance: await instanceShape(record, call) };
}

/** Ends the worker of an instance that is being deleted, and forgets the instance and its connections. */
export async function finishDeletion(
  record: InstanceRecord,
  { store, supervisor }: Pick<Call, "store" | "supervisor">,
): Promise<void> {
  await supervisor.removeInstance(record.arn);
  const event = serviceEvent("instanceDeleted", { identifier: record.identifier });
  supervisor.ledger.inOrder(`removal ${record.arn}`, async () => {
    const removes = (await store.list("connection"))
      .filter((connection) => connection.instanceArn === record.arn)
      .map(({ arn }) => ({ kind: "connection", arn }) as const);
    await store.remove("instance", record.arn, { event, removes });
  });
}

/** Task logs go to the server's own log; AWS's sizes are shown as empty files. */
export async function describeReplicationInstanceTaskLogs(
  request: Checked<DescribeReplicationInstanceTaskLogsMessage>,
  call: Call,
): Promise<DescribeReplicationInstanceTaskLogsResponse> {
  const { arn } = await findInstance(request.ReplicationInstanceArn, call);
  const tasks = (await call.store.list("task")).filter((task) => task.instanceArn === arn);
  const { items, marker } = page(tasks, request, { key: (task) => task.arn });
  return {
    ReplicationInstanceArn: arn,
    ReplicationInstanceTaskLogs: items.map((task) => ({
      ReplicationTaskName: task.identifier,
      ReplicationTaskArn: task.arn,
      ReplicationInstanceTaskLogSize: 0,
    })),
    Marker: marker,
  };
}

export async function findInstance(arn: string, call: Call): Promise<InstanceRecord> {
  const record = await call.store.get("instance", arn);
  if (record === undefined) throw missing(arn);
  return record;
}

/** An instance that takes orders. */
export async function usableInstance(arn: string, call: Call): Promise<InstanceRecord> {
  const record = await findInstance(arn, call);
  if (nextInstanceStatus(record.status, "use") !== undefined) return record;
  throw invalidState(`Replication instance ${arn} is not available: its state is ${record.status}.`);
}

/** Moves an instance on in its states, or refuses as AWS does. `change` is made in the same step. */
export async function moveInstance(
  arn: string,
  action: "modify" | "upgrade" | "reboot" | "delete",
  call: Call,
  change: Partial<InstanceRecord> = {},
): Promise<InstanceRecord> {
  const moved = await call.store.update("instance", arn, (record) => {
    const status = nextInstanceStatus(record.status, action);
    if (status === undefined) {
      throw invalidState(
        `Replication instance ${record.identifier} cannot ${action} in its state ${record.status}.`,
      );
    }
    return { ...record, ...change, status };
  });
  if (moved === undefined) throw missing(arn);
  return moved;
}

function missing(arn: string): Fault {
  return notFound(`Replication Instance not found: ${arn}.`);
}

async function newInstance(
  request: Checked<CreateReplicationInstanceMessage>,
  call: Call,
): Promise<InstanceRecord> {
  const group = request.ReplicationSubnetGroupIdentifier?.toLowerCase() ?? DEFAULT_SUBNET_GROUP;
  if (group !== DEFAULT_SUBNET_GROUP) await findSubnetGroup(group, call);
  checkIdentifier("ReplicationInstanceIdentifier", request.ReplicationInstanceIdentifier, 63);
  refuseKerberos(request);
  return {
    arn: makeArn(call, "rep", newResourceId(request.ResourceIdentifier)),
    identifier: request.ReplicationInstanceIdentifier.toLowerCase(),
    createdMs: Date.now(),
    status: "creating",
    instanceClass: checkInstanceClass(request.ReplicationInstanceClass),
    allocatedStorage: checkStorage(request.AllocatedStorage ?? DEFAULT_STORAGE_GB),
    multiAz: request.MultiAZ ?? false,
    engineVersion: checkEngineVersion(request.EngineVersion ?? DEFAULT_ENGINE_VERSION),
    networkType: checkNetworkType(request.NetworkType ?? "IPV4"),
    autoMinorVersionUpgrade: request.AutoMinorVersionUpgrade ?? true,
    publiclyAccessible: request.PubliclyAccessible ?? true,
    maintenanceWindow: checkWindow(request.PreferredMaintenanceWindow ?? "sun:06:00-sun:14:00"),
    availabilityZone: request.AvailabilityZone ?? `${call.region}a`,
    subnetGroup: group,
    securityGroups: request.VpcSecurityGroupIds ?? ["sg-tideway"],
    kmsKeyId: request.KmsKeyId,
    dnsNameServers: request.DnsNameServers,
    pending: {},
  };
}

export function refuseKerberos(request: {
  readonly KerberosAuthenticationSettings?: object | undefined;
}): void {
  if (request.KerberosAuthenticationSettings === undefined) return;
  throw invalidValue("KerberosAuthenticationSettings is not supported by Tideway.");
}

export function checkInstanceClass(name: string): string {
  if (findInstanceClass(name) !== undefined) return name;
  throw invalidValue(
    `Invalid replication instance class: ${name}. describe-orderable-replication-instances lists the classes.`,
  );
}

export function checkStorage(gigabytes: number): number {
  if (gigabytes >= 5 && gigabytes <= 6144) return gigabytes;
  throw invalidValue(`Invalid storage size: ${gigabytes}. AllocatedStorage must be between 5 and 6144 GB.`);
}

export function checkNetworkType(type: string): string {
  if (type === "IPV4" || type === "DUAL") return type;
  throw invalidValue(`Invalid network type: ${type}. NetworkType must be IPV4 or DUAL.`);
}

export function checkWindow(text: string): string {
  const day = "(mon|tue|wed|thu|fri|sat|sun)";
  const time = "([01]\\d|2[0-3]):[0-5]\\d";
  if (new RegExp(`^${day}:${time}-${day}:${time}$`, "i").test(text)) return text.toLowerCase();
  throw invalidValue(
    `Invalid maintenance window: ${text}. PreferredMaintenanceWindow must have the form ddd:hh24:mi-ddd:hh24:mi.`,
  );
}
