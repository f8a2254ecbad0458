import type {
  CreateReplicationSubnetGroupMessage,
  CreateReplicationSubnetGroupResponse,
  DeleteReplicationSubnetGroupMessage,
  DescribeReplicationSubnetGroupsMessage,
  DescribeReplicationSubnetGroupsResponse,
  ModifyReplicationSubnetGroupMessage,
  ModifyReplicationSubnetGroupResponse,
} from "@aws-sdk/client-database-migration-service";
import type { SubnetGroupRecord } from "../task/records.ts";
import { makeArn } from "./arn.ts";
import { alreadyExists, Fault, invalidState, invalidValue, notFound } from "./faults.ts";
import { filteredOrNotFound } from "./filters.ts";
import { page } from "./paging.ts";
import type { Call } from "./service.ts";
import type { Checked } from "./shapes.ts";
import { DEFAULT_SUBNET_GROUP, subnetGroupShape } from "./subnet-group-shape.ts";
import { checkTags } from "./tag-rules.ts";

export async function createReplicationSubnetGroup(
  request: Checked<CreateReplicationSubnetGroupMessage>,
  call: Call,
): Promise<CreateReplicationSubnetGroupResponse> {
  const identifier = checkName(request.ReplicationSubnetGroupIdentifier);
  const tags = checkTags(request.Tags);
  const record: SubnetGroupRecord = {
    arn: makeArn(call, "subgrp", identifier),
    identifier,
    createdMs: Date.now(),
    description: request.ReplicationSubnetGroupDescription,
    subnetIds: checkSubnets(request.SubnetIds),
  };
  if (!(await call.store.insert("subnet-group", record, { tags }))) {
    throw alreadyExists(`The replication subnet group ${identifier} already exists.`, record.arn);
  }
  return { ReplicationSubnetGroup: subnetGroupShape(record, call.region) };
}

export async function describeReplicationSubnetGroups(
  request: Checked<DescribeReplicationSubnetGroupsMessage>,
  call: Call,
): Promise<DescribeReplicationSubnetGroupsResponse> {
  const names = { "replication-subnet-group-id": (group: SubnetGroupRecord) => group.identifier };
  const found = filteredOrNotFound(await call.store.list("subnet-group"), request.Filters, {
    names,
    what: "Replication Subnet Groups",
  });
  const { items, marker } = page(found, request, { key: (group) => group.arn });
  return {
    Marker: marker,
    ReplicationSubnetGroups: items.map((group) => subnetGroupShape(group, call.region)),
  };
}

export async function modifyReplicationSubnetGroup(
  request: Checked<ModifyReplicationSubnetGroupMessage>,
  call: Call,
): Promise<ModifyReplicationSubnetGroupResponse> {
  const { arn } = await findSubnetGroup(request.ReplicationSubnetGroupIdentifier, call);
  const subnetIds = checkSubnets(request.SubnetIds);
  const record = await call.store.update("subnet-group", arn, (group) => ({
    ...group,
    description: request.ReplicationSubnetGroupDescription ?? group.description,
    subnetIds,
  }));
  if (record === undefined) throw missing(request.ReplicationSubnetGroupIdentifier);
  return { ReplicationSubnetGroup: subnetGroupShape(record, call.region) };
}

export async function deleteReplicationSubnetGroup(
  request: Checked<DeleteReplicationSubnetGroupMessage>,
  call: Call,
): Promise<Record<string, never>> {
  const { arn, identifier } = await findSubnetGroup(request.ReplicationSubnetGroupIdentifier, call);
  const instances = await call.store.list("instance");
  const user = instances.find((instance) => instance.subnetGroup === identifier);
  if (user !== undefined) {
    throw invalidState(
      `The replication subnet group ${identifier} cannot be deleted: replication instance ${user.identifier} uses it.`,
    );
  }
  const tasks = await call.store.list("task");
  const task = tasks.find((one) => one.serverless?.compute.subnetGroup?.toLowerCase() === identifier);
  if (task !== undefined) {
    throw invalidState(
      `The replication subnet group ${identifier} cannot be deleted: replication config ${task.identifier} uses it.`,
    );
  }
  await call.store.remove("subnet-group", arn);
  return {};
}

export async function findSubnetGroup(name: string, call: Call): Promise<SubnetGroupRecord> {
  const groups = await call.store.list("subnet-group");
  const group = groups.find((one) => one.identifier === name.toLowerCase());
  if (group === undefined) throw missing(name);
  return group;
}

function missing(name: string): Fault {
  return notFound(`Replication Subnet Group not found: ${name}.`);
}

function checkName(given: string): string {
  const name = given.toLowerCase();
  if (name === DEFAULT_SUBNET_GROUP || name.length > 255 || !/^[a-z0-9 ._-]+$/.test(name)) {
    throw invalidValue(
      "The parameter ReplicationSubnetGroupIdentifier must have 1 to 255 letters, digits, periods, underscores and hyphens, and must not be default.",
    );
  }
  return name;
}

function checkSubnets(ids: readonly string[]): readonly string[] {
  if (ids.length === 0) throw invalidValue("The parameter SubnetIds must name at least one subnet.");
  const wrong = ids.find((id) => !/^subnet-[A-Za-z0-9-]+$/.test(id));
  if (wrong !== undefined) throw new Fault("InvalidSubnet", `The subnet ID '${wrong}' is not valid.`);
  return [...new Set(ids)];
}
