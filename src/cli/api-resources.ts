import {
  type Connection,
  type DatabaseMigrationServiceClient,
  type Endpoint,
  paginateDescribeConnections,
  paginateDescribeEndpoints,
  paginateDescribeReplicationInstances,
  paginateDescribeReplicationTasks,
  paginateDescribeTableStatistics,
  type ReplicationInstance,
  type ReplicationTask,
  type TableStatistics,
} from "@aws-sdk/client-database-migration-service";
import { ReportedFault } from "./output.ts";

/** Finds what people name: by identifier, or by ARN. */

type Client = DatabaseMigrationServiceClient;
type Filters = { Name: string; Values: string[] }[];

/** A filter that finds nothing is a fault of the API; `empty` is what it means here. */
async function orEmpty<Item>(work: () => Promise<Item[]>): Promise<Item[]> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && error.name === "ResourceNotFoundFault") return [];
    throw error;
  }
}

export function listEndpoints(client: Client, filters: Filters = []): Promise<Endpoint[]> {
  return orEmpty(async () => {
    const found: Endpoint[] = [];
    for await (const page of paginateDescribeEndpoints({ client }, { Filters: filters })) {
      found.push(...(page.Endpoints ?? []));
    }
    return found;
  });
}

export function listInstances(client: Client, filters: Filters = []): Promise<ReplicationInstance[]> {
  return orEmpty(async () => {
    const found: ReplicationInstance[] = [];
    for await (const page of paginateDescribeReplicationInstances({ client }, { Filters: filters })) {
      found.push(...(page.ReplicationInstances ?? []));
    }
    return found;
  });
}

export function listTasks(client: Client, filters: Filters = []): Promise<ReplicationTask[]> {
  return orEmpty(async () => {
    const found: ReplicationTask[] = [];
    for await (const page of paginateDescribeReplicationTasks({ client }, { Filters: filters })) {
      found.push(...(page.ReplicationTasks ?? []));
    }
    return found;
  });
}

export function listConnections(client: Client, filters: Filters): Promise<Connection[]> {
  return orEmpty(async () => {
    const found: Connection[] = [];
    for await (const page of paginateDescribeConnections({ client }, { Filters: filters })) {
      found.push(...(page.Connections ?? []));
    }
    return found;
  });
}

export async function listTableStatistics(client: Client, taskArn: string): Promise<TableStatistics[]> {
  const found: TableStatistics[] = [];
  const input = { ReplicationTaskArn: taskArn, MaxRecords: 500 };
  for await (const page of paginateDescribeTableStatistics({ client }, input)) {
    found.push(...(page.TableStatistics ?? []));
  }
  return found;
}

export async function findEndpoint(client: Client, name: string): Promise<Endpoint> {
  const [endpoint] = await listEndpoints(client, byName(name, "endpoint"));
  return endpoint ?? missing("endpoint", name);
}

export async function findInstance(client: Client, name: string): Promise<ReplicationInstance> {
  const [instance] = await listInstances(client, byName(name, "replication-instance"));
  return instance ?? missing("instance", name);
}

export async function findTask(client: Client, name: string): Promise<ReplicationTask> {
  const [task] = await listTasks(client, byName(name, "replication-task"));
  return task ?? missing("task", name);
}

/** When only one instance exists, nobody needs to name it. */
export async function chosenInstance(client: Client, name: string | undefined): Promise<ReplicationInstance> {
  if (name !== undefined) return await findInstance(client, name);
  const instances = await listInstances(client);
  const [only] = instances;
  if (only !== undefined && instances.length === 1) return only;
  throw new ReportedFault(
    "usage.invalid",
    only === undefined ? "There is no replication instance yet." : "There are several replication instances.",
    only === undefined ? "Create one: tideway instance create NAME --wait" : "Name one with --instance.",
  );
}

/** For polling until something is gone. */
export function unlessGone(error: unknown): undefined {
  if (error instanceof ReportedFault && error.code === "ResourceNotFoundFault") return undefined;
  throw error;
}

function byName(name: string, kind: string): Filters {
  return [{ Name: `${kind}-${name.startsWith("arn:") ? "arn" : "id"}`, Values: [name] }];
}

function missing(kind: string, name: string): never {
  throw new ReportedFault(
    "ResourceNotFoundFault",
    `There is no ${kind} ${name}.`,
    `See which there are with tideway ${kind} list.`,
  );
}
