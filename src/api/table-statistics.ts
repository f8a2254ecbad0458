import type {
  DescribeReplicationTableStatisticsMessage,
  DescribeReplicationTableStatisticsResponse,
  DescribeTableStatisticsMessage,
  DescribeTableStatisticsResponse,
  TableStatistics,
} from "@aws-sdk/client-database-migration-service";
import { tableKey } from "../core/schema.ts";
import { notValidated } from "../task/table-progress.ts";
import type { TableProgress, TableValidationProgress } from "../task/task.ts";
import { type Filter, filtered } from "./filters.ts";
import { type Page, type PageRequest, page, tableStatisticsPages } from "./paging.ts";
import type { Call } from "./service.ts";
import type { Checked } from "./shapes.ts";
import { tableDetails } from "./table-details.ts";
import { validates } from "./task-documents.ts";
import { findTask, replications, replicationTasks, type TaskFace } from "./task-face.ts";

export async function describeTableStatistics(
  request: Checked<DescribeTableStatisticsMessage>,
  call: Call,
): Promise<DescribeTableStatisticsResponse> {
  const arn = request.ReplicationTaskArn;
  const { items, marker } = await statistics(replicationTasks, { ...request, arn }, call);
  return { ReplicationTaskArn: arn, TableStatistics: items, Marker: marker };
}

export async function describeReplicationTableStatistics(
  request: Checked<DescribeReplicationTableStatisticsMessage>,
  call: Call,
): Promise<DescribeReplicationTableStatisticsResponse> {
  const arn = request.ReplicationConfigArn;
  const { items, marker } = await statistics(replications, { ...request, arn }, call);
  return { ReplicationConfigArn: arn, ReplicationTableStatistics: items, Marker: marker };
}

interface StatisticsRequest extends PageRequest {
  readonly arn: string;
  readonly Filters?: readonly Filter[] | undefined;
}

async function statistics(
  face: TaskFace,
  request: StatisticsRequest,
  call: Call,
): Promise<Page<TableStatistics>> {
  const { arn, settings, reloads = [] } = await findTask(face, request.arn, call);
  const found = filtered(await tableProgress(arn, call), request.Filters, {
    "schema-name": (table) => table.id.schema,
    "table-name": (table) => table.id.name,
    "table-state": (table) => table.state,
  });
  const { items, marker } = page(found, request, {
    key: (table) => tableKey(table.id),
    limits: tableStatisticsPages,
  });
  const isValidated = validates(settings);
  const anew = new Set(reloads.filter(({ validateOnly }) => validateOnly).map(tableKey));
  const shown = items.map((table) => {
    // A table that was never told of has not been looked at.
    const { validation = notValidated } = table;
    const { pending, rowsCompared, rowsToCompare = -1 } = validation;
    const left = rowsCompared === undefined ? 0 : Math.max(0, rowsToCompare - rowsCompared);
    const state = anew.has(tableKey(table.id)) ? "Pending revalidation" : validation.state;
    return shape(table, isValidated ? { ...validation, state, pending: pending + left } : undefined);
  });
  return { items: shown, marker };
}

/** The newest that is known of a task's tables; empty for a task that never ran. */
export async function tableProgress(arn: string, call: Call): Promise<readonly TableProgress[]> {
  const live = call.supervisor.ledger.liveProgress(arn);
  if (live !== undefined && live.tables.length > 0) return live.tables;
  return call.store.tableStatistics(arn);
}

function shape(table: TableProgress, validation: TableValidationProgress | undefined): TableStatistics {
  return {
    SchemaName: table.id.schema,
    TableName: table.id.name,
    Inserts: table.inserts,
    Deletes: table.deletes,
    Updates: table.updates,
    Ddls: table.ddls,
    AppliedInserts: table.appliedInserts,
    AppliedDeletes: table.appliedDeletes,
    AppliedUpdates: table.appliedUpdates,
    AppliedDdls: table.appliedDdls,
    FullLoadRows: table.fullLoadRows,
    FullLoadCondtnlChkFailedRows: 0,
    FullLoadErrorRows: table.fullLoadErrorRows ?? 0,
    FullLoadStartTime: date(table.fullLoadStartMs),
    FullLoadEndTime: date(table.fullLoadEndMs),
    FullLoadReloaded: table.reloaded,
    LastUpdateTime: date(table.lastUpdateMs),
    TableState: table.state,
    ValidationPendingRecords: validation?.pending ?? 0,
    ValidationFailedRecords: validation?.failed ?? 0,
    ValidationSuspendedRecords: validation?.suspended ?? 0,
    ValidationState: validation?.state ?? "Not enabled",
    ValidationStateDetails: tableDetails({ ...table, validation }),
  };
}

function date(ms: number | undefined): Date | undefined {
  return ms === undefined ? undefined : new Date(ms);
}
