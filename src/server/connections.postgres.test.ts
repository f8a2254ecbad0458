import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { test } from "node:test";
import * as dms from "@aws-sdk/client-database-migration-service";
import { makeCertificates } from "../../test/support/certificates.ts";
import { waiting } from "../../test/support/dms-client.ts";
import { eventually } from "../../test/support/eventually.ts";
import { startPostgres } from "../../test/support/postgres-server.ts";
import { taskService } from "../../test/support/task-service.ts";

const { postgres, api } = await taskService();

test("connections are tested from the instance, and schemas are read when asked to", async () => {
  const { sourceArn: EndpointArn, source } = await api.pair(0);
  await postgres.query('create schema "Odd Schema"', source);
  const both = { EndpointArn, ReplicationInstanceArn: api.instanceArn };
  const Filters = [{ Name: "endpoint-arn", Values: [EndpointArn] }];
  await assert.rejects(api.client.send(new dms.DescribeConnectionsCommand({ Filters })), {
    name: "ResourceNotFoundFault",
  });
  await assert.rejects(api.client.send(new dms.DescribeSchemasCommand({ EndpointArn })), {
    name: "InvalidResourceStateFault",
  });
  const { Connection } = await api.client.send(new dms.TestConnectionCommand(both));
  assert.equal(Connection?.Status, "testing");
  const tested = async (): Promise<dms.Connection> =>
    eventually("the test's end", async () => {
      const { Connections } = await api.client.send(new dms.DescribeConnectionsCommand({ Filters }));
      return Connections![0]?.Status !== "testing" && Connections![0];
    });
  assert.equal((await tested()).Status, "successful");

  await api.client.send(new dms.RefreshSchemasCommand(both));
  await eventually("the schemas", async () => {
    const { RefreshSchemasStatus } = await api.client.send(
      new dms.DescribeRefreshSchemasStatusCommand({ EndpointArn }),
    );
    return RefreshSchemasStatus?.Status === "successful";
  });
  const { Schemas } = await api.client.send(new dms.DescribeSchemasCommand({ EndpointArn }));
  assert.deepEqual(Schemas?.toSorted(), ["Odd Schema", "public"]);

  await api.client.send(new dms.ModifyEndpointCommand({ EndpointArn, DatabaseName: "none_such" }));
  await api.client.send(new dms.TestConnectionCommand(both));
  const failed = await tested();
  assert.equal(failed.Status, "failed");
  assert.match(failed.LastFailureMessage ?? "", /^auth\.unknown_database/);
  const { Connection: gone } = await api.client.send(new dms.DeleteConnectionCommand(both));
  assert.equal(gone?.Status, "deleting");
});

test("a change of an endpoint forgets what was tested of it, unless the change is refused", async () => {
  const { sourceArn: EndpointArn, targetArn } = await api.pair(0);
  const Filters = [{ Name: "endpoint-arn", Values: [EndpointArn] }];
  const tests = () => api.client.send(new dms.DescribeConnectionsCommand({ Filters }));
  const both = { EndpointArn, ReplicationInstanceArn: api.instanceArn };
  await api.client.send(new dms.TestConnectionCommand(both));
  await dms.waitUntilTestConnectionSucceeds(waiting(api.client), { Filters });
  const rename = (EndpointIdentifier: string): Promise<unknown> =>
    api.client.send(new dms.ModifyEndpointCommand({ EndpointArn, EndpointIdentifier }));
  const { Endpoints } = await api.client.send(
    new dms.DescribeEndpointsCommand({ Filters: [{ Name: "endpoint-arn", Values: [targetArn] }] }),
  );
  await assert.rejects(rename(Endpoints![0]!.EndpointIdentifier!), { name: "ResourceAlreadyExistsFault" });
  assert.equal((await tests()).Connections![0]!.Status, "successful");
  await rename(api.name("renamed"));
  await assert.rejects(tests(), { name: "ResourceNotFoundFault" });
});

test("the late answer about an endpoint as it was says nothing about the changed one", async () => {
  const { sourceArn: EndpointArn, targetArn } = await api.pair(0);
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket));
  await once(silent.listen(0, "127.0.0.1"), "listening");
  const testOf = (arn: string): Promise<unknown> =>
    api.client.send(
      new dms.TestConnectionCommand({ EndpointArn: arn, ReplicationInstanceArn: api.instanceArn }),
    );
  const succeeded = (arn: string): Promise<unknown> =>
    dms.waitUntilTestConnectionSucceeds(waiting(api.client), {
      Filters: [{ Name: "endpoint-arn", Values: [arn] }],
    });
  const modify = (Port: number): Promise<unknown> =>
    api.client.send(new dms.ModifyEndpointCommand({ EndpointArn, Port }));
  await modify((silent.address() as AddressInfo).port);
  await testOf(EndpointArn);
  await eventually("the first test's connection", async () => sockets.length > 0);
  await modify(postgres.port);
  await testOf(EndpointArn);
  await succeeded(EndpointArn);
  for (const socket of sockets) socket.destroy();
  silent.close();
  // The worker answers in order: after this one the late failure has arrived.
  await testOf(targetArn);
  await succeeded(targetArn);
  await succeeded(EndpointArn);
});

test("an imported CA is what a verified connection trusts", async () => {
  const certificates = makeCertificates(["IP:127.0.0.1"]);
  await using secure = await startPostgres({ tls: certificates });
  const importCa = async (pem: string): Promise<string> => {
    const command = new dms.ImportCertificateCommand({
      CertificateIdentifier: api.name("ca"),
      CertificatePem: pem,
    });
    return (await api.client.send(command)).Certificate!.CertificateArn!;
  };
  const testWith = async (CertificateArn: string): Promise<dms.Connection> => {
    const EndpointArn = await api.endpoint("source", "postgres", {
      Port: secure.port,
      Password: secure.password,
      SslMode: "verify-full",
      CertificateArn,
    });
    await api.client.send(
      new dms.TestConnectionCommand({ EndpointArn, ReplicationInstanceArn: api.instanceArn }),
    );
    return eventually("the test's end", async () => {
      const { Connections } = await api.client.send(
        new dms.DescribeConnectionsCommand({ Filters: [{ Name: "endpoint-arn", Values: [EndpointArn] }] }),
      );
      return Connections![0]?.Status !== "testing" && Connections![0];
    });
  };
  const right = await importCa(certificates.ca);
  assert.equal((await testWith(right)).Status, "successful");
  const wrong = await testWith(await importCa(certificates.otherCa));
  assert.equal(wrong.Status, "failed");
  assert.match(wrong.LastFailureMessage ?? "", /^tls\.untrusted/);
  const { Certificates } = await api.client.send(
    new dms.DescribeCertificatesCommand({ Filters: [{ Name: "certificate-arn", Values: [right] }] }),
  );
  assert.equal(Certificates![0]?.CertificatePem, certificates.ca);
  await assert.rejects(api.client.send(new dms.DeleteCertificateCommand({ CertificateArn: right })), {
    name: "InvalidResourceStateFault",
  });
  for (const pem of ["nonsense", certificates.key, certificates.ca.replace(/[A-Z]{3}/, "!!!")]) {
    await assert.rejects(importCa(pem), { name: "InvalidCertificateFault" });
  }
});
