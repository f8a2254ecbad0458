import { randomUUID } from "node:crypto";
import type {
  Connection,
  DeleteConnectionMessage,
  DeleteConnectionResponse,
  DescribeConnectionsMessage,
  DescribeConnectionsResponse,
  TestConnectionMessage,
  TestConnectionResponse,
} from "@aws-sdk/client-database-migration-service";
import { type ConnectionRecord, connectionKey } from "../task/records.ts";
import { failureText } from "../task/task-ledger.ts";
import { endpointConfig } from "../task/task-spec.ts";
import { findEndpoint } from "./endpoints.ts";
import { type Fault, invalidState, notFound } from "./faults.ts";
import { filteredOrNotFound } from "./filters.ts";
import { page } from "./paging.ts";
import { findInstance, usableInstance } from "./replication-instances.ts";
import { type Call, inBackground } from "./service.ts";
import type { Checked } from "./shapes.ts";

/** Starts a test from the instance's worker; its end is seen with DescribeConnections. */
export async function testConnection(
  request: Checked<TestConnectionMessage>,
  call: Call,
): Promise<TestConnectionResponse> {
  const instance = await usableInstance(request.ReplicationInstanceArn, call);
  const endpoint = await findEndpoint(request.EndpointArn, call);
  const fresh: ConnectionRecord = {
    arn: connectionKey(instance.arn, endpoint.arn),
    identifier: connectionKey(instance.arn, endpoint.arn),
    createdMs: Date.now(),
    instanceArn: instance.arn,
    endpointArn: endpoint.arn,
    status: "testing",
    test: randomUUID(),
  };
  if (!(await call.store.insert("connection", fresh))) {
    await call.store.update("connection", fresh.arn, (present) => {
      if (present.status === "testing") throw beingTested(endpoint.identifier);
      return fresh;
    });
  }
  const config = await endpointConfig(call.store, endpoint);
  inBackground(call, async () => {
    const answer = await call.supervisor.testConnection(instance.arn, config, endpoint.type);
    call.supervisor.ledger.inOrder(fresh.arn, () =>
      call.store.update("connection", fresh.arn, (record) => {
        // The endpoint was changed meanwhile and is tested again: this answer is about the old one.
        if (record.test !== fresh.test) return record;
        return {
          ...record,
          status: answer.ok ? "successful" : "failed",
          failure: answer.ok ? undefined : failureText(answer.error),
        };
      }),
    );
  });
  return { Connection: await shape(fresh, call) };
}

export async function describeConnections(
  request: Checked<DescribeConnectionsMessage>,
  call: Call,
): Promise<DescribeConnectionsResponse> {
  const found = filteredOrNotFound(await call.store.list("connection"), request.Filters, {
    what: "Connections",
    names: {
      "endpoint-arn": (one) => one.endpointArn,
      "replication-instance-arn": (one) => one.instanceArn,
    },
  });
  const { items, marker } = page(found, request, { key: (one) => one.arn });
  return { Marker: marker, Connections: await Promise.all(items.map((one) => shape(one, call))) };
}

export async function deleteConnection(
  request: Checked<DeleteConnectionMessage>,
  call: Call,
): Promise<DeleteConnectionResponse> {
  const { arn } = await findInstance(request.ReplicationInstanceArn, call);
  const record = await call.store.get("connection", connectionKey(arn, request.EndpointArn));
  if (record === undefined) {
    throw notFound(`There is no connection between ${arn} and ${request.EndpointArn}.`);
  }
  if (record.status === "testing") {
    throw beingTested((await findEndpoint(record.endpointArn, call)).identifier);
  }
  const shown = await shape(record, call);
  await call.store.remove("connection", record.arn);
  return { Connection: { ...shown, Status: "deleting" } };
}

function beingTested(endpoint: string): Fault {
  return invalidState(`The connection of endpoint ${endpoint} is already being tested.`);
}

async function shape(record: ConnectionRecord, call: Call): Promise<Connection> {
  const instance = await call.store.get("instance", record.instanceArn);
  const endpoint = await call.store.get("endpoint", record.endpointArn);
  return {
    ReplicationInstanceArn: record.instanceArn,
    EndpointArn: record.endpointArn,
    Status: record.status,
    LastFailureMessage: record.failure,
    EndpointIdentifier: endpoint?.identifier,
    ReplicationInstanceIdentifier: instance?.identifier,
  };
}
