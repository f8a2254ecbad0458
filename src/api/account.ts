import { createHash } from "node:crypto";
import type { DescribeAccountAttributesResponse } from "@aws-sdk/client-database-migration-service";
import { resourceIdOf } from "./arn.ts";
import type { Call } from "./service.ts";
import { replicationTasks, tasksOf } from "./task-face.ts";

/** AWS's documented quotas. Tideway shows them with the real use; it does not hold people to them. */
const quotas = {
  ReplicationInstances: 60,
  AllocatedStorage: 30_000,
  ReplicationSubnetGroups: 60,
  SubnetsPerReplicationSubnetGroup: 60,
  Endpoints: 1000,
  EndpointsPerReplicationInstance: 100,
  ReplicationTasks: 600,
  ReplicationTasksPerReplicationInstance: 200,
  Certificates: 100,
  EventSubscriptions: 60,
} as const;

export async function describeAccountAttributes(
  _request: unknown,
  call: Call,
): Promise<DescribeAccountAttributesResponse> {
  const { store } = call;
  const instances = await store.list("instance");
  const groups = await store.list("subnet-group");
  const tasks = await tasksOf(replicationTasks, call);
  const connections = await store.list("connection");
  const used: Record<keyof typeof quotas, number> = {
    ReplicationInstances: instances.length,
    AllocatedStorage: instances.reduce((sum, one) => sum + one.allocatedStorage, 0),
    ReplicationSubnetGroups: groups.length,
    SubnetsPerReplicationSubnetGroup: Math.max(0, ...groups.map((group) => group.subnetIds.length)),
    Endpoints: (await store.list("endpoint")).length,
    EndpointsPerReplicationInstance: mostOf(connections.map((one) => one.instanceArn)),
    ReplicationTasks: tasks.length,
    ReplicationTasksPerReplicationInstance: mostOf(tasks.map((one) => one.instanceArn)),
    Certificates: (await store.list("certificate")).length,
    EventSubscriptions: (await store.list("event-subscription")).length,
  };
  return {
    AccountQuotas: (Object.keys(quotas) as (keyof typeof quotas)[]).map((name) => ({
      AccountQuotaName: name,
      Used: used[name],
      Max: quotas[name],
    })),
    UniqueAccountIdentifier: accountName(call),
  };
}

/** Twelve small letters and digits that stay the same for an account and region. */
function accountName(call: Call): string {
  const digest = createHash("sha256").update(`${call.account} ${call.region}`).digest("hex");
  return `tw${resourceIdOf(digest).slice(0, 10)}`;
}

function mostOf(names: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Math.max(0, ...counts.values());
}
