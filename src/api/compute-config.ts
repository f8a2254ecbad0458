import type { ComputeConfig as Shape } from "@aws-sdk/client-database-migration-service";
import { CAPACITY_UNITS } from "../task/instance-class.ts";
import type { ComputeConfig } from "../task/records.ts";
import { invalidCombination, invalidValue } from "./faults.ts";
import { checkWindow } from "./replication-instances.ts";
import type { Call } from "./service.ts";
import { DEFAULT_SUBNET_GROUP } from "./subnet-group-shape.ts";
import { findSubnetGroup } from "./subnet-groups.ts";

/**
 * What a serverless replication may use. Members that are left out are as before; only
 * MaxCapacityUnits acts, the others are kept and returned.
 */
export async function checkCompute(
  given: Shape,
  before: ComputeConfig | undefined,
  call: Call,
): Promise<ComputeConfig> {
  const group = given.ReplicationSubnetGroupId;
  if (group !== undefined && group.toLowerCase() !== DEFAULT_SUBNET_GROUP) await findSubnetGroup(group, call);
  const max = given.MaxCapacityUnits ?? before?.maxCapacityUnits;
  const min = given.MinCapacityUnits ?? before?.minCapacityUnits;
  if (max === undefined) throw invalidValue("The parameter MaxCapacityUnits must be provided.");
  checkUnits("MaxCapacityUnits", max);
  if (min !== undefined) checkUnits("MinCapacityUnits", min);
  if (min !== undefined && min > max) {
    throw invalidCombination("MinCapacityUnits must not be greater than MaxCapacityUnits.");
  }
  // As given: clients compare it letter by letter.
  if (given.PreferredMaintenanceWindow !== undefined) checkWindow(given.PreferredMaintenanceWindow);
  return {
    maxCapacityUnits: max,
    minCapacityUnits: min,
    multiAz: given.MultiAZ ?? before?.multiAz ?? false,
    availabilityZone: given.AvailabilityZone ?? before?.availabilityZone,
    dnsNameServers: given.DnsNameServers ?? before?.dnsNameServers,
    kmsKeyId: given.KmsKeyId ?? before?.kmsKeyId,
    maintenanceWindow: given.PreferredMaintenanceWindow ?? before?.maintenanceWindow,
    subnetGroup: group ?? before?.subnetGroup,
    securityGroups: given.VpcSecurityGroupIds ?? before?.securityGroups,
  };
}

export function computeShape(compute: ComputeConfig): Shape {
  return {
    MaxCapacityUnits: compute.maxCapacityUnits,
    MinCapacityUnits: compute.minCapacityUnits,
    MultiAZ: compute.multiAz,
    AvailabilityZone: compute.availabilityZone,
    DnsNameServers: compute.dnsNameServers,
    KmsKeyId: compute.kmsKeyId,
    PreferredMaintenanceWindow: compute.maintenanceWindow,
    ReplicationSubnetGroupId: compute.subnetGroup,
    VpcSecurityGroupIds: compute.securityGroups === undefined ? undefined : [...compute.securityGroups],
  };
}

function checkUnits(member: string, units: number): void {
  if (CAPACITY_UNITS.includes(units)) return;
  throw invalidValue(`Invalid value ${units} for ${member}. Valid values are: ${CAPACITY_UNITS.join(", ")}.`);
}
