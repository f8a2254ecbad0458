import * as sdk from "@aws-sdk/client-database-migration-service";
import { describeAccountAttributes } from "./account.ts";
import {
  cancelReplicationTaskAssessmentRun,
  deleteReplicationTaskAssessmentRun,
  describeApplicableIndividualAssessments,
  describeReplicationTaskAssessmentRuns,
  describeReplicationTaskIndividualAssessments,
  startReplicationTaskAssessmentRun,
} from "./assessment-runs.ts";
import {
  describeAssessment,
  describeReplicationTaskAssessmentResults,
  startReplicationTaskAssessment,
} from "./assessments.ts";
import { deleteCertificate, describeCertificates, importCertificate } from "./certificates.ts";
import { deleteConnection, describeConnections, testConnection } from "./connections.ts";
import { createEndpoint, deleteEndpoint, describeEndpoints, modifyEndpoint } from "./endpoints.ts";
import { describeErrorRetry, retryErrors } from "./error-retry.ts";
import {
  createEventSubscription,
  deleteEventSubscription,
  describeEventSubscriptions,
  modifyEventSubscription,
} from "./event-subscriptions.ts";
import { describeEventCategories, describeEvents } from "./events.ts";
import {
  applyPendingMaintenanceAction,
  describeEndpointSettings,
  describeEndpointTypes,
  describeEngineVersions,
  describeOrderableReplicationInstances,
  describePendingMaintenanceActions,
} from "./offerings.ts";
import {
  createReplicationConfig,
  deleteReplicationConfig,
  describeReplicationConfigs,
  modifyReplicationConfig,
} from "./replication-configs.ts";
import { modifyReplicationInstance, rebootReplicationInstance } from "./replication-instance-changes.ts";
import {
  createReplicationInstance,
  deleteReplicationInstance,
  describeReplicationInstances,
  describeReplicationInstanceTaskLogs,
} from "./replication-instances.ts";
import { modifyReplicationTask } from "./replication-task-changes.ts";
import {
  moveReplicationTask,
  reloadTables,
  startReplicationTask,
  stopReplicationTask,
} from "./replication-task-runs.ts";
import {
  createReplicationTask,
  deleteReplicationTask,
  describeReplicationTasks,
} from "./replication-tasks.ts";
import {
  describeReplications,
  reloadReplicationTables,
  startReplication,
  stopReplication,
} from "./replications.ts";
import { describeRowRepair, repairRows } from "./row-repair.ts";
import { describeRefreshSchemasStatus, describeSchemas, refreshSchemas } from "./schemas.ts";
import type { Call } from "./service.ts";
import {
  createReplicationSubnetGroup,
  deleteReplicationSubnetGroup,
  describeReplicationSubnetGroups,
  modifyReplicationSubnetGroup,
} from "./subnet-groups.ts";
import { describeReplicationTableStatistics, describeTableStatistics } from "./table-statistics.ts";
import { addTagsToResource, listTagsForResource, removeTagsFromResource } from "./tags.ts";

/** Takes a request that was checked against its schema. */
type Handler = (request: never, call: Call) => Promise<object>;

/** Every operation that is built. All others of AWS's model are answered with a fault that names them. */
const handlers: Readonly<Record<string, Handler>> = {
  CreateReplicationInstance: createReplicationInstance,
  DescribeReplicationInstances: describeReplicationInstances,
  ModifyReplicationInstance: modifyReplicationInstance,
  RebootReplicationInstance: rebootReplicationInstance,
  DeleteReplicationInstance: deleteReplicationInstance,
  DescribeReplicationInstanceTaskLogs: describeReplicationInstanceTaskLogs,
  DescribeOrderableReplicationInstances: describeOrderableReplicationInstances,
  DescribeEngineVersions: describeEngineVersions,
  DescribePendingMaintenanceActions: describePendingMaintenanceActions,
  ApplyPendingMaintenanceAction: applyPendingMaintenanceAction,

  CreateReplicationSubnetGroup: createReplicationSubnetGroup,
  DescribeReplicationSubnetGroups: describeReplicationSubnetGroups,
  ModifyReplicationSubnetGroup: modifyReplicationSubnetGroup,
  DeleteReplicationSubnetGroup: deleteReplicationSubnetGroup,

  CreateEndpoint: createEndpoint,
  DescribeEndpoints: describeEndpoints,
  ModifyEndpoint: modifyEndpoint,
  DeleteEndpoint: deleteEndpoint,
  DescribeEndpointTypes: describeEndpointTypes,
  DescribeEndpointSettings: describeEndpointSettings,
  TestConnection: testConnection,
  DescribeConnections: describeConnections,
  DeleteConnection: deleteConnection,
  RefreshSchemas: refreshSchemas,
  DescribeRefreshSchemasStatus: describeRefreshSchemasStatus,
  DescribeSchemas: describeSchemas,

  CreateReplicationTask: createReplicationTask,
  DescribeReplicationTasks: describeReplicationTasks,
  ModifyReplicationTask: modifyReplicationTask,
  StartReplicationTask: startReplicationTask,
  StopReplicationTask: stopReplicationTask,
  ReloadTables: reloadTables,
  MoveReplicationTask: moveReplicationTask,
  DeleteReplicationTask: deleteReplicationTask,
  DescribeTableStatistics: describeTableStatistics,

  StartReplicationTaskAssessment: startReplicationTaskAssessment,
  DescribeReplicationTaskAssessmentResults: describeReplicationTaskAssessmentResults,
  StartReplicationTaskAssessmentRun: startReplicationTaskAssessmentRun,
  CancelReplicationTaskAssessmentRun: cancelReplicationTaskAssessmentRun,
  DeleteReplicationTaskAssessmentRun: deleteReplicationTaskAssessmentRun,
  DescribeReplicationTaskAssessmentRuns: describeReplicationTaskAssessmentRuns,
  DescribeReplicationTaskIndividualAssessments: describeReplicationTaskIndividualAssessments,
  DescribeApplicableIndividualAssessments: describeApplicableIndividualAssessments,

  CreateReplicationConfig: createReplicationConfig,
  DescribeReplicationConfigs: describeReplicationConfigs,
  ModifyReplicationConfig: modifyReplicationConfig,
  DeleteReplicationConfig: deleteReplicationConfig,
  StartReplication: startReplication,
  StopReplication: stopReplication,
  DescribeReplications: describeReplications,
  DescribeReplicationTableStatistics: describeReplicationTableStatistics,
  ReloadReplicationTables: reloadReplicationTables,

  ImportCertificate: importCertificate,
  DescribeCertificates: describeCertificates,
  DeleteCertificate: deleteCertificate,
  AddTagsToResource: addTagsToResource,
  RemoveTagsFromResource: removeTagsFromResource,
  ListTagsForResource: listTagsForResource,
  DescribeAccountAttributes: describeAccountAttributes,

  DescribeEvents: describeEvents,
  DescribeEventCategories: describeEventCategories,
  CreateEventSubscription: createEventSubscription,
  DescribeEventSubscriptions: describeEventSubscriptions,
  ModifyEventSubscription: modifyEventSubscription,
  DeleteEventSubscription: deleteEventSubscription,
};

/** Static schemas in the form of the SDK's, of which only the members and how many of them are required count. */
const STRUCTURE = 3;
const LIST = 1;
const TEXT = 0;
const FLAG = 2;
const TABLE = [STRUCTURE, "tideway", "Table", 0, ["SchemaName", "TableName"], [TEXT, TEXT], 2];
const TABLES = [LIST, "tideway", "Tables", 0, () => TABLE];
const message = (names: readonly string[], members: readonly unknown[]): unknown => [
  ...[STRUCTURE, "tideway", "Message", 0],
  ...[names, members, 1],
];

/** Operations of Tideway's own, which AWS DMS does not have (docs/api.md). */
const ownOperations: Readonly<Record<string, Operation>> = {
  TidewayRetryErrors: {
    input: message(["Arn", "Tables"], [TEXT, () => TABLES]),
    handle: retryErrors as Operation["handle"],
  },
  TidewayDescribeErrorRetry: {
    input: message(["Arn"], [TEXT]),
    handle: describeErrorRetry as Operation["handle"],
  },
  TidewayRepairRows: {
    input: message(["Arn", "Tables", "DryRun"], [TEXT, () => TABLES, FLAG]),
    handle: repairRows as Operation["handle"],
  },
  TidewayDescribeRowRepair: {
    input: message(["Arn"], [TEXT]),
    handle: describeRowRepair as Operation["handle"],
  },
  TidewayDescribeAssessment: {
    input: message(["Arn"], [TEXT]),
    handle: describeAssessment as Operation["handle"],
  },
};

export interface Operation {
  /** The SDK's runtime schema of the input. */
  readonly input: unknown;
  /** undefined: AWS has the operation and Tideway has not. */
  readonly handle: ((request: unknown, call: Call) => Promise<object>) | undefined;
}

/** An operation by its name; undefined when neither AWS nor Tideway has one of that name. */
export function findOperation(name: string): Operation | undefined {
  if (Object.hasOwn(ownOperations, name)) return ownOperations[name];
  const schema: unknown = Object.hasOwn(sdk, `${name}$`) ? Reflect.get(sdk, `${name}$`) : undefined;
  if (!Array.isArray(schema) || schema[0] !== OPERATION) return undefined;
  const handle = Object.hasOwn(handlers, name) ? handlers[name] : undefined;
  return { input: schema[4], handle: handle as Operation["handle"] };
}

/** First element of an operation's static schema. */
const OPERATION = 9;

export const builtOperations: readonly string[] = Object.keys(handlers);
