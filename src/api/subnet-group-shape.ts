import type { ReplicationSubnetGroup } from "@aws-sdk/client-database-migration-service";
import type { SubnetGroupRecord } from "../task/records.ts";

/** The group of instances that name none. */
export const DEFAULT_SUBNET_GROUP = "default";
/** Tideway has no networks of its own: names are kept and returned, and all subnets lie in one VPC. */
const VPC = "vpc-tideway";

export function subnetGroupShape(record: SubnetGroupRecord, region: string): ReplicationSubnetGroup {
  return {
    ReplicationSubnetGroupIdentifier: record.identifier,
    ReplicationSubnetGroupDescription: record.description,
    VpcId: VPC,
    SubnetGroupStatus: "Complete",
    Subnets: record.subnetIds.map((id, index) => ({
      SubnetIdentifier: id,
      SubnetAvailabilityZone: { Name: `${region}${zoneLetter(index)}` },
      SubnetStatus: "Active",
    })),
    SupportedNetworkTypes: ["IPV4"],
  };
}

export function defaultSubnetGroup(region: string): ReplicationSubnetGroup {
  const record = { arn: "", createdMs: 0, subnetIds: [] };
  return subnetGroupShape({ ...record, identifier: DEFAULT_SUBNET_GROUP, description: "default" }, region);
}

function zoneLetter(index: number): string {
  return String.fromCharCode("a".charCodeAt(0) + (index % 6));
}
