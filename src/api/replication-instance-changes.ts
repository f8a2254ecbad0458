import type {
  ModifyReplicationInstanceMessage,
  ModifyReplicationInstanceResponse,
  RebootReplicationInstanceMessage,
  RebootReplicationInstanceResponse,
} from "@aws-sdk/client-database-migration-service";
import { serviceEvent } from "../task/events.ts";
import type { InstanceRecord, InstanceSettings } from "../task/records.ts";
import { checkIdentifier } from "./arn.ts";
import { checkEngineVersion, isMajorChange } from "./engine-versions.ts";
import { invalidCombination, invalidState, invalidValue } from "./faults.ts";
import { instanceShape } from "./replication-instance-shape.ts";
import {
  checkInstanceClass,
  checkNetworkType,
  checkStorage,
  checkWindow,
  findInstance,
  moveInstance,
  refuseKerberos,
} from "./replication-instances.ts";
import { type Call, inBackground } from "./service.ts";
import type { Checked } from "./shapes.ts";

type Change = { -readonly [K in keyof InstanceRecord]?: InstanceRecord[K] };

/**
 * Names and windows change at once. Class, storage, MultiAZ, version and network type change with
 * ApplyImmediately, else wait in PendingModifiedValues for a reboot. A new class or version starts
 * the worker anew and its tasks resume; the others are kept and returned without effect.
 */
export async function modifyReplicationInstance(
  request: Checked<ModifyReplicationInstanceMessage>,
  call: Call,
): Promise<ModifyReplicationInstanceResponse> {
  const record = await findInstance(request.ReplicationInstanceArn, call);
  refuseKerberos(request);
  const asked = askedSettings(request, record);
  const settings = differing(asked, record);
  // What is asked for now takes the place of what was asked for later, be it what is in force already.
  const pending = without(record.pending, asked);
  const atOnce: Change = { ...namesAndWindows(request, record), ...differing({ pending }, record) };
  if (Object.keys(settings).length === 0 && Object.keys(atOnce).length === 0) {
    throw invalidCombination("No modifications were requested on the replication instance.");
  }
  const immediately = request.ApplyImmediately === true;
  const anew = settings.instanceClass !== undefined || settings.engineVersion !== undefined;
  const changed =
    immediately && anew
      ? await changeWorker(record, { settings, atOnce }, call)
      : await call.store.update("instance", record.arn, (now) => {
          if (now.status === "deleting")
            throw invalidState(`Replication instance ${now.arn} is being deleted.`);
          const later = immediately ? settings : { pending: { ...pending, ...settings } };
          return { ...now, ...atOnce, ...later };
        });
  if (immediately && settings.allocatedStorage !== undefined) {
    call.supervisor.ledger.happened(serviceEvent("storageGrown", { identifier: record.identifier }));
  }
  return { ReplicationInstance: await instanceShape(changed ?? record, call) };
}

export async function rebootReplicationInstance(
  request: Checked<RebootReplicationInstanceMessage>,
  call: Call,
): Promise<RebootReplicationInstanceResponse> {
  const record = await findInstance(request.ReplicationInstanceArn, call);
  if (request.ForceFailover === true && request.ForcePlannedFailover === true) {
    throw invalidCombination("ForceFailover and ForcePlannedFailover cannot both be true.");
  }
  if ((request.ForceFailover || request.ForcePlannedFailover) && !record.multiAz) {
    throw invalidCombination("A failover can be forced only on a Multi-AZ replication instance.");
  }
  const change = { ...record.pending, pending: {} };
  const moved = await moveInstance(record.arn, "reboot", call, change);
  const { identifier } = moved;
  call.supervisor.ledger.happened(serviceEvent("offline", { identifier, detail: "It is being rebooted." }));
  inBackground(call, () => call.supervisor.restartInstance(moved));
  return { ReplicationInstance: await instanceShape(moved, call) };
}

async function changeWorker(
  record: InstanceRecord,
  change: { readonly settings: Partial<InstanceSettings>; readonly atOnce: Change },
  call: Call,
): Promise<InstanceRecord> {
  const { settings, atOnce } = change;
  const upgrade = settings.engineVersion !== undefined;
  const moved = await moveInstance(record.arn, upgrade ? "upgrade" : "modify", call, {
    ...atOnce,
    ...settings,
  });
  const { identifier } = moved;
  const { ledger } = call.supervisor;
  if (settings.instanceClass !== undefined) ledger.happened(serviceEvent("classChanging", { identifier }));
  else if (upgrade) ledger.happened(serviceEvent("offline", { identifier, detail: "It is being upgraded." }));
  inBackground(call, () => call.supervisor.restartInstance(moved));
  return moved;
}

/** The asked-for settings, checked. */
function askedSettings(
  request: Checked<ModifyReplicationInstanceMessage>,
  record: InstanceRecord,
): Partial<InstanceSettings> {
  const asked: Partial<InstanceSettings> = {
    ...(request.ReplicationInstanceClass && {
      instanceClass: checkInstanceClass(request.ReplicationInstanceClass),
    }),
    ...(request.AllocatedStorage !== undefined && {
      allocatedStorage: checkStorage(request.AllocatedStorage),
    }),
    ...(request.MultiAZ !== undefined && { multiAz: request.MultiAZ }),
    ...(request.EngineVersion && { engineVersion: checkEngineVersion(request.EngineVersion) }),
    ...(request.NetworkType && { networkType: checkNetworkType(request.NetworkType) }),
  };
  const { engineVersion, allocatedStorage } = asked;
  if (
    engineVersion &&
    isMajorChange(record.engineVersion, engineVersion) &&
    !request.AllowMajorVersionUpgrade
  ) {
    throw invalidCombination(
      "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.",
    );
  }
  if (allocatedStorage !== undefined && allocatedStorage < record.allocatedStorage) {
    throw invalidValue(
      `AllocatedStorage cannot shrink: it is ${record.allocatedStorage} GB, ${allocatedStorage} GB was requested.`,
    );
  }
  return asked;
}

function namesAndWindows(request: Checked<ModifyReplicationInstanceMessage>, record: InstanceRecord): Change {
  const change: Change = {};
  if (request.ReplicationInstanceIdentifier !== undefined) {
    checkIdentifier("ReplicationInstanceIdentifier", request.ReplicationInstanceIdentifier, 63);
    change.identifier = request.ReplicationInstanceIdentifier.toLowerCase();
  }
  if (request.PreferredMaintenanceWindow !== undefined) {
    change.maintenanceWindow = checkWindow(request.PreferredMaintenanceWindow);
  }
  if (request.AutoMinorVersionUpgrade !== undefined) {
    change.autoMinorVersionUpgrade = request.AutoMinorVersionUpgrade;
  }
  if (request.VpcSecurityGroupIds !== undefined) change.securityGroups = request.VpcSecurityGroupIds;
  return differing(change, record);
}

function differing<T extends object>(asked: T, present: object): T {
  const now = new Map(Object.entries(present));
  const entries = Object.entries(asked).filter(([name, value]) => !same(now.get(name), value));
  return Object.fromEntries(entries) as T;
}

function without(settings: Partial<InstanceSettings>, named: object): Partial<InstanceSettings> {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !Object.hasOwn(named, name)));
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
