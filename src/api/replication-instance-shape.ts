import type { ReplicationInstance } from "@aws-sdk/client-database-migration-service";
import type { InstanceRecord } from "../task/records.ts";
import type { Call } from "./service.ts";
import { defaultSubnetGroup, subnetGroupShape } from "./subnet-group-shape.ts";

/** Workers run on this machine. */
const ADDRESS = "127.0.0.1";

/** An instance as the API shows it. */
export async function instanceShape(record: InstanceRecord, call: Call): Promise<ReplicationInstance> {
  const groups = await call.store.list("subnet-group");
  const group = groups.find((one) => one.identifier === record.subnetGroup);
  const { pending } = record;
  return {
    ReplicationInstanceIdentifier: record.identifier,
    ReplicationInstanceClass: record.instanceClass,
    ReplicationInstanceStatus: record.status,
    AllocatedStorage: record.allocatedStorage,
    InstanceCreateTime: new Date(record.createdMs),
    VpcSecurityGroups: record.securityGroups.map((id) => ({ VpcSecurityGroupId: id, Status: "active" })),
    AvailabilityZone: record.availabilityZone,
    ReplicationSubnetGroup:
      group === undefined ? defaultSubnetGroup(call.region) : subnetGroupShape(group, call.region),
    PreferredMaintenanceWindow: record.maintenanceWindow,
    PendingModifiedValues: {
      ReplicationInstanceClass: pending.instanceClass,
      AllocatedStorage: pending.allocatedStorage,
      MultiAZ: pending.multiAz,
      EngineVersion: pending.engineVersion,
      NetworkType: pending.networkType,
    },
    MultiAZ: record.multiAz,
    EngineVersion: record.engineVersion,
    AutoMinorVersionUpgrade: record.autoMinorVersionUpgrade,
    KmsKeyId: record.kmsKeyId,
    ReplicationInstanceArn: record.arn,
    ReplicationInstancePublicIpAddress: record.publiclyAccessible ? ADDRESS : undefined,
    ReplicationInstancePrivateIpAddress: ADDRESS,
    ReplicationInstancePublicIpAddresses: record.publiclyAccessible ? [ADDRESS] : [],
    ReplicationInstancePrivateIpAddresses: [ADDRESS],
    PubliclyAccessible: record.publiclyAccessible,
    DnsNameServers: record.dnsNameServers,
    NetworkType: record.networkType,
  };
}
