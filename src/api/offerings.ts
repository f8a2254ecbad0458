import type {
  ApplyPendingMaintenanceActionMessage,
  ApplyPendingMaintenanceActionResponse,
  DescribeEndpointSettingsMessage,
  DescribeEndpointSettingsResponse,
  DescribeEndpointTypesMessage,
  DescribeEndpointTypesResponse,
  DescribeEngineVersionsMessage,
  DescribeEngineVersionsResponse,
  DescribeOrderableReplicationInstancesMessage,
  DescribeOrderableReplicationInstancesResponse,
  DescribePendingMaintenanceActionsMessage,
  DescribePendingMaintenanceActionsResponse,
  EndpointSetting as SettingShape,
} from "@aws-sdk/client-database-migration-service";
import type { EndpointSetting } from "../core/engine.ts";
import { instanceClasses } from "../task/instance-class.ts";
import { engineNames, findEngine } from "./endpoint-settings.ts";
import { DEFAULT_ENGINE_VERSION, engineVersions } from "./engine-versions.ts";
import { notFound } from "./faults.ts";
import { filtered } from "./filters.ts";
import { page } from "./paging.ts";
import type { Call } from "./service.ts";
import type { Checked } from "./shapes.ts";

export async function describeOrderableReplicationInstances(
  request: Checked<DescribeOrderableReplicationInstancesMessage>,
  call: Call,
): Promise<DescribeOrderableReplicationInstancesResponse> {
  const { items, marker } = page(instanceClasses, request, { key: (one) => one.name });
  return {
    OrderableReplicationInstances: items.map((one) => ({
      EngineVersion: DEFAULT_ENGINE_VERSION,
      ReplicationInstanceClass: one.name,
      StorageType: "gp2",
      MinAllocatedStorage: 5,
      MaxAllocatedStorage: 6144,
      DefaultAllocatedStorage: 50,
      IncludedAllocatedStorage: 50,
      AvailabilityZones: ["a", "b", "c"].map((letter) => `${call.region}${letter}`),
      ReleaseStatus: "prod",
    })),
    Marker: marker,
  };
}

export async function describeEngineVersions(
  request: Checked<DescribeEngineVersionsMessage>,
  _call: Call,
): Promise<DescribeEngineVersionsResponse> {
  const { items, marker } = page(engineVersions, request, { key: (version) => version });
  return {
    EngineVersions: items.map((version) => ({
      Version: version,
      Lifecycle: version === DEFAULT_ENGINE_VERSION ? "DEFAULT_VERSION" : "ACTIVE",
      ReleaseStatus: "prod",
      AvailableUpgrades: engineVersions.slice(engineVersions.indexOf(version) + 1),
    })),
    Marker: marker,
  };
}

interface Role {
  readonly engineName: string;
  readonly displayName: string;
  readonly type: "source" | "target";
  readonly cdc: boolean;
}

export async function describeEndpointTypes(
  request: Checked<DescribeEndpointTypesMessage>,
  call: Call,
): Promise<DescribeEndpointTypesResponse> {
  const roles = call.engines.engines.flatMap((engine) =>
    engineNames(engine).flatMap(({ name: engineName, displayName }) =>
      (["source", "target"] as const)
        .filter((type) => engine.capabilities[type])
        .map((type): Role => {
          return { engineName, displayName, type, cdc: engine.capabilities.cdc };
        }),
    ),
  );
  const found = filtered(roles, request.Filters, {
    "engine-name": (role) => role.engineName,
    "endpoint-type": (role) => role.type,
  });
  const { items, marker } = page(found, request, { key: (role) => `${role.engineName} ${role.type}` });
  return {
    Marker: marker,
    SupportedEndpointTypes: items.map((role) => ({
      EngineName: role.engineName,
      SupportsCDC: role.cdc,
      EndpointType: role.type.toUpperCase() as "source" | "target",
      EngineDisplayName: role.displayName,
    })),
  };
}

export async function describeEndpointSettings(
  request: Checked<DescribeEndpointSettingsMessage>,
  call: Call,
): Promise<DescribeEndpointSettingsResponse> {
  const { endpointSettings } = findEngine(call.engines, request.EngineName);
  const { items, marker } = page(endpointSettings, request, { key: (setting) => setting.name });
  return { Marker: marker, EndpointSettings: items.map(settingShape) };
}

function settingShape(setting: EndpointSetting): SettingShape {
  return {
    Name: setting.name,
    Type: setting.type,
    EnumValues: setting.values === undefined ? undefined : [...setting.values],
    Sensitive: setting.sensitive ?? false,
    Units: setting.units,
    Applicability: setting.appliesTo === "both" ? "source,target" : setting.appliesTo,
    IntValueMin: setting.min,
    IntValueMax: setting.max,
    DefaultValue: setting.default === undefined ? undefined : String(setting.default),
  };
}

/** Nobody but the user maintains a server of their own. */
export async function describePendingMaintenanceActions(
  request: Checked<DescribePendingMaintenanceActionsMessage>,
  call: Call,
): Promise<DescribePendingMaintenanceActionsResponse> {
  const arn = request.ReplicationInstanceArn;
  if (arn !== undefined && (await call.store.get("instance", arn)) === undefined) {
    throw notFound(`Replication Instance not found: ${arn}.`);
  }
  return { PendingMaintenanceActions: [] };
}

export async function applyPendingMaintenanceAction(
  request: Checked<ApplyPendingMaintenanceActionMessage>,
  _call: Call,
): Promise<ApplyPendingMaintenanceActionResponse> {
  throw notFound(
    `There is no pending maintenance action ${request.ApplyAction} for ${request.ReplicationInstanceArn}.`,
  );
}
