import type {
  CreateEndpointMessage,
  CreateEndpointResponse,
  DeleteEndpointMessage,
  DeleteEndpointResponse,
  DescribeEndpointsMessage,
  DescribeEndpointsResponse,
  ModifyEndpointMessage,
  ModifyEndpointResponse,
} from "@aws-sdk/client-database-migration-service";
import { failpoint } from "../base/failpoint.ts";
import type { Engine } from "../core/engine.ts";
import { type EndpointRecord, type SettingValue, schemaListKey } from "../task/records.ts";
import { isActive } from "../task/state.ts";
import type { Companions } from "../task/store.ts";
import { PASSWORD } from "../task/task-spec.ts";
import { checkIdentifier, makeArn, newResourceId } from "./arn.ts";
import { attributeSettings, engineStruct, findEngine, structSettings } from "./endpoint-settings.ts";
import { endpointShape } from "./endpoint-shape.ts";
import { alreadyExists, type Fault, invalidState, invalidValue, notFound } from "./faults.ts";
import { filteredOrNotFound } from "./filters.ts";
import { page } from "./paging.ts";
import type { Call } from "./service.ts";
import { type Checked, checkEnum } from "./shapes.ts";
import { checkTags } from "./tag-rules.ts";

type Created = Checked<CreateEndpointMessage>;
type Modified = Checked<ModifyEndpointMessage>;
type Struct = Readonly<Record<string, SettingValue>> | undefined;

const SSL_MODES = ["none", "require", "verify-ca", "verify-full"] as const;

export async function createEndpoint(request: Created, call: Call): Promise<CreateEndpointResponse> {
  checkEnums(request);
  checkIdentifier("EndpointIdentifier", request.EndpointIdentifier, 255);
  const engine = findEngine(call.engines, request.EngineName);
  const struct = engineStruct(engine, request);
  const tags = checkTags(request.Tags);
  const given = structSettings(engine, struct);
  const record: EndpointRecord = {
    arn: makeArn(call, "endpoint", newResourceId(request.ResourceIdentifier)),
    identifier: request.EndpointIdentifier,
    createdMs: Date.now(),
    type: checkRole(engine, request.EndpointType.toLowerCase()),
    engineName: request.EngineName.toLowerCase(),
    host: required("ServerName", place("ServerName", request, struct)),
    port: checkPort(place("Port", request, struct) ?? engine.defaultPort),
    database: checkDatabase(engine, place("DatabaseName", request, struct)),
    username: required("Username", place("Username", request, struct)),
    sslMode: request.SslMode ?? "none",
    extraAttributes: request.ExtraConnectionAttributes || undefined,
    givenSettings: given,
    settings: { ...given, ...attributeSettings(engine, request.ExtraConnectionAttributes) },
    certificateArn: await checkCertificate(request.CertificateArn, call),
    kmsKeyId: request.KmsKeyId,
    serviceAccessRoleArn: request.ServiceAccessRoleArn,
    externalTableDefinition: request.ExternalTableDefinition,
  };
  const secrets = passwordSecret(place("Password", request, struct));
  if (!(await call.store.insert("endpoint", record, { tags, secrets }))) {
    throw alreadyExists(`Endpoint ${record.identifier} already exists.`);
  }
  failpoint("service.endpoint-stored");
  return { Endpoint: endpointShape(record, call.engines) };
}

export async function describeEndpoints(
  request: Checked<DescribeEndpointsMessage>,
  call: Call,
): Promise<DescribeEndpointsResponse> {
  const found = filteredOrNotFound(await call.store.list("endpoint"), request.Filters, {
    what: "Endpoints",
    names: {
      "endpoint-arn": (one) => one.arn,
      "endpoint-type": (one) => one.type,
      "endpoint-id": (one) => one.identifier,
      "engine-name": (one) => one.engineName,
    },
  });
  const { items, marker } = page(found, request, { key: (one) => one.arn });
  return { Marker: marker, Endpoints: items.map((record) => endpointShape(record, call.engines)) };
}

/** What is not given stays; with ExactSettings the engine's settings are replaced as a whole. */
export async function modifyEndpoint(request: Modified, call: Call): Promise<ModifyEndpointResponse> {
  checkEnums(request);
  if (request.EndpointIdentifier !== undefined) {
    checkIdentifier("EndpointIdentifier", request.EndpointIdentifier, 255);
  }
  const before = await findEndpoint(request.EndpointArn, call);
  const engine = findEngine(call.engines, request.EngineName ?? before.engineName);
  const struct = engineStruct(engine, request);
  const asked = structSettings(engine, struct);
  const certificateArn = await checkCertificate(request.CertificateArn, call);
  await refuseInUse(before, request.EndpointType?.toLowerCase(), call);
  const change = (now: EndpointRecord): EndpointRecord => {
    const given = request.ExactSettings ? asked : { ...now.givenSettings, ...asked };
    const attributes = request.ExtraConnectionAttributes ?? now.extraAttributes;
    return {
      ...now,
      identifier: request.EndpointIdentifier ?? now.identifier,
      type: checkRole(engine, (request.EndpointType ?? now.type).toLowerCase()),
      engineName: (request.EngineName ?? now.engineName).toLowerCase(),
      host: required("ServerName", place("ServerName", request, struct) ?? now.host),
      port: checkPort(place("Port", request, struct) ?? now.port),
      database: checkDatabase(engine, place("DatabaseName", request, struct) ?? now.database),
      username: required("Username", place("Username", request, struct) ?? now.username),
      sslMode: request.SslMode ?? now.sslMode,
      extraAttributes: attributes || undefined,
      givenSettings: given,
      settings: { ...given, ...attributeSettings(engine, attributes) },
      certificateArn: certificateArn ?? now.certificateArn,
      serviceAccessRoleArn: request.ServiceAccessRoleArn ?? now.serviceAccessRoleArn,
      externalTableDefinition: request.ExternalTableDefinition ?? now.externalTableDefinition,
    };
  };
  const secrets = passwordSecret(place("Password", request, struct));
  const removes = await testsOf(before.arn, call);
  const record = await call.store.update("endpoint", before.arn, change, () => ({ secrets, removes }));
  if (record === undefined) throw missing(request.EndpointArn);
  return { Endpoint: endpointShape(record, call.engines) };
}

export async function deleteEndpoint(
  request: Checked<DeleteEndpointMessage>,
  call: Call,
): Promise<DeleteEndpointResponse> {
  const record = await findEndpoint(request.EndpointArn, call);
  const tasks = await call.store.list("task");
  if (tasks.some((task) => task.sourceArn === record.arn || task.targetArn === record.arn)) {
    throw invalidState(`Endpoint ${record.arn} is part of one or more ReplicationTasks. Delete them first.`);
  }
  const schemas = { kind: "schema-list", arn: schemaListKey(record.arn) } as const;
  const removes = [...(await testsOf(record.arn, call)), schemas];
  await call.store.remove("endpoint", record.arn, { removes });
  return { Endpoint: endpointShape(record, call.engines, "deleting") };
}

export async function findEndpoint(arn: string, call: Pick<Call, "store">): Promise<EndpointRecord> {
  const record = await call.store.get("endpoint", arn);
  if (record === undefined) throw missing(arn);
  return record;
}

function missing(arn: string): Fault {
  return notFound(`Endpoint not found: ${arn}.`);
}

/** Without one that is given the endpoint's password stays as it is. */
function passwordSecret(password: string | undefined): Readonly<Record<string, string>> {
  return password === undefined ? {} : { [PASSWORD]: password };
}

/** Said of the endpoint as it is now. */
async function testsOf(endpointArn: string, call: Call): Promise<NonNullable<Companions["removes"]>> {
  const connections = await call.store.list("connection");
  return connections
    .filter((connection) => connection.endpointArn === endpointArn)
    .map(({ arn }) => ({ kind: "connection", arn }));
}

/** A task that runs has read its endpoints; one that does not still needs each on its side. */
async function refuseInUse(
  { arn, type }: EndpointRecord,
  newType: string | undefined,
  call: Call,
): Promise<void> {
  const tasks = await call.store.list("task");
  const users = tasks.filter((task) => task.sourceArn === arn || task.targetArn === arn);
  const running = users.find((task) => isActive(task.status));
  if (running !== undefined) {
    throw invalidState(
      `Endpoint ${arn} cannot be modified while replication task ${running.identifier} is running. Stop it first.`,
    );
  }
  const [user] = users;
  if (user === undefined || newType === undefined || newType === type) return;
  throw invalidState(
    `Endpoint ${arn} is the ${type} of replication task ${user.identifier} and cannot become a ${newType}.`,
  );
}

/** Clients send these at the top level, in the engine's struct, or in both. */
function place(member: "Port", request: Modified | Created, struct: Struct): number | undefined;
function place(
  member: "ServerName" | "DatabaseName" | "Username" | "Password",
  request: Modified | Created,
  struct: Struct,
): string | undefined;
function place(member: keyof Modified & keyof Created, request: Modified | Created, struct: Struct): unknown {
  return struct?.[member] ?? request[member];
}

function checkEnums(request: Modified | Created): void {
  checkEnum("EndpointType", request.EndpointType?.toLowerCase(), ["source", "target"]);
  checkEnum("SslMode", request.SslMode, SSL_MODES);
}

function checkRole(engine: Engine, type: string): "source" | "target" {
  if (type === "source" && engine.capabilities.source) return type;
  if (type === "target" && engine.capabilities.target) return type;
  throw invalidValue(`Engine ${engine.name} cannot be a ${type}.`);
}

/** "" where no database is named and none needs to be. */
function checkDatabase(engine: Engine, name: string | undefined): string {
  return engine.reaches === "server" ? (name ?? "") : required("DatabaseName", name);
}

function required(member: string, value: string | undefined): string {
  if (value !== undefined && value.trim() !== "") return value;
  throw invalidValue(`The parameter ${member} must be provided and must not be blank.`);
}

function checkPort(port: number): number {
  if (port >= 1 && port <= 65535) return port;
  throw invalidValue(`Invalid port: ${port}. Port must be between 1 and 65535.`);
}

async function checkCertificate(arn: string | undefined, call: Call): Promise<string | undefined> {
  if (arn === undefined || arn === "") return undefined;
  const certificate = await call.store.get("certificate", arn);
  if (certificate === undefined) throw notFound(`Certificate not found: ${arn}.`);
  if (certificate.pem === undefined) {
    throw invalidValue(`Certificate ${arn} is a wallet; this engine needs a certificate in PEM form.`);
  }
  return arn;
}
