import type {
  DescribeRefreshSchemasStatusMessage,
  DescribeRefreshSchemasStatusResponse,
  DescribeSchemasMessage,
  DescribeSchemasResponse,
  RefreshSchemasMessage,
  RefreshSchemasResponse,
  RefreshSchemasStatus,
} from "@aws-sdk/client-database-migration-service";
import { type SchemaListRecord, schemaListKey } from "../task/records.ts";
import { failureText } from "../task/task-ledger.ts";
import { endpointConfig } from "../task/task-spec.ts";
import { findEndpoint } from "./endpoints.ts";
import { invalidState } from "./faults.ts";
import { page } from "./paging.ts";
import { usableInstance } from "./replication-instances.ts";
import { type Call, inBackground } from "./service.ts";
import type { Checked } from "./shapes.ts";

/** Starts reading the endpoint's schemas; DescribeSchemas answers from what was read last. */
export async function refreshSchemas(
  request: Checked<RefreshSchemasMessage>,
  call: Call,
): Promise<RefreshSchemasResponse> {
  const instance = await usableInstance(request.ReplicationInstanceArn, call);
  const endpoint = await findEndpoint(request.EndpointArn, call);
  const key = schemaListKey(endpoint.arn);
  const fresh: SchemaListRecord = {
    arn: key,
    identifier: key,
    createdMs: Date.now(),
    instanceArn: instance.arn,
    endpointArn: endpoint.arn,
    status: "refreshing",
    schemas: [],
  };
  if (!(await call.store.insert("schema-list", fresh))) {
    await call.store.update("schema-list", key, (present) => {
      if (present.status === "refreshing") {
        throw invalidState(`The schemas of endpoint ${endpoint.identifier} are already being refreshed.`);
      }
      return { ...present, instanceArn: instance.arn, status: "refreshing" };
    });
  }
  const config = await endpointConfig(call.store, endpoint);
  inBackground(call, async () => {
    const answer = await call.supervisor.listSchemas(instance.arn, config);
    const refreshedMs = Date.now();
    const refreshed = (record: SchemaListRecord): SchemaListRecord =>
      answer.ok
        ? { ...record, status: "successful", failure: undefined, schemas: answer.schemas ?? [], refreshedMs }
        : { ...record, status: "failed", failure: failureText(answer.error) };
    call.supervisor.ledger.inOrder(key, () => call.store.update("schema-list", key, refreshed));
  });
  return { RefreshSchemasStatus: shape(fresh) };
}

export async function describeRefreshSchemasStatus(
  request: Checked<DescribeRefreshSchemasStatusMessage>,
  call: Call,
): Promise<DescribeRefreshSchemasStatusResponse> {
  return { RefreshSchemasStatus: shape(await lastRead(request.EndpointArn, call)) };
}

export async function describeSchemas(
  request: Checked<DescribeSchemasMessage>,
  call: Call,
): Promise<DescribeSchemasResponse> {
  const { schemas } = await lastRead(request.EndpointArn, call);
  const { items, marker } = page(schemas, request, { key: (name) => name });
  return { Marker: marker, Schemas: items };
}

async function lastRead(endpointArn: string, call: Call): Promise<SchemaListRecord> {
  const { identifier } = await findEndpoint(endpointArn, call);
  const record = await call.store.get("schema-list", schemaListKey(endpointArn));
  if (record !== undefined) return record;
  throw invalidState(`The schemas of endpoint ${identifier} were never read. Call refresh-schemas first.`);
}

function shape(record: SchemaListRecord): RefreshSchemasStatus {
  return {
    EndpointArn: record.endpointArn,
    ReplicationInstanceArn: record.instanceArn,
    Status: record.status,
    LastRefreshDate: record.refreshedMs === undefined ? undefined : new Date(record.refreshedMs),
    LastFailureMessage: record.failure,
  };
}
