import { tableKey } from "../../../core/schema.ts";
import type { PrepareRequest } from "../../../core/target.ts";

/* Columns may have the rows of another table as their type: that is made before theirs, and dropped after it. */

export interface RowTypeOrder {
  /** Those whose rows are a type of another's columns, and those others: each after its types. */
  readonly related: readonly PrepareRequest[];
  readonly others: readonly PrepareRequest[];
}

export function orderByRowTypes(requests: readonly PrepareRequest[]): RowTypeOrder {
  const byTable = new Map(requests.map((request) => [tableKey(request.plan.source.id), request]));
  const typesOf = ({ plan }: PrepareRequest): PrepareRequest[] =>
    (plan.source.rowTypes ?? []).flatMap((id) => byTable.get(tableKey(id)) ?? []);
  const seen = new Set<PrepareRequest>();
  const related = new Set<PrepareRequest>();
  const add = (request: PrepareRequest): void => {
    if (seen.has(request)) return;
    seen.add(request);
    for (const type of typesOf(request)) add(type);
    related.add(request);
  };
  for (const request of requests) if (typesOf(request).length > 0) add(request);
  return { related: [...related], others: requests.filter((request) => !related.has(request)) };
}
