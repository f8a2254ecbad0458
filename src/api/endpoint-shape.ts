import type { Endpoint } from "@aws-sdk/client-database-migration-service";
import type { EngineRegistry } from "../core/engine.ts";
import type { EndpointRecord } from "../task/records.ts";
import { engineNames, shownSettings, structMember } from "./endpoint-settings.ts";

/**
 * An endpoint as the API shows it: where the database is stands at the top level and in the engine's
 * struct, since clients read either. Passwords are in no record and so in no shape.
 */
export function endpointShape(
  record: EndpointRecord,
  engines: EngineRegistry,
  status: "active" | "deleting" = "active",
): Endpoint {
  const engine = engines.find(record.engineName);
  const place = {
    Username: record.username,
    ServerName: record.host,
    Port: record.port,
    DatabaseName: record.database || undefined,
  };
  return {
    EndpointIdentifier: record.identifier,
    EndpointType: record.type.toUpperCase() as "source" | "target",
    EngineName: record.engineName,
    EngineDisplayName: engineNames(engine).find(({ name }) => name === record.engineName)?.displayName,
    ...place,
    ExtraConnectionAttributes: record.extraAttributes,
    Status: status,
    KmsKeyId: record.kmsKeyId,
    EndpointArn: record.arn,
    CertificateArn: record.certificateArn,
    SslMode: record.sslMode,
    ServiceAccessRoleArn: record.serviceAccessRoleArn,
    ExternalTableDefinition: record.externalTableDefinition,
    ...structMember(engine, { ...place, ...shownSettings(engine, record.settings) }),
  };
}
