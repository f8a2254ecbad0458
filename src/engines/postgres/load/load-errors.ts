import type { EndpointConfig } from "../../../core/engine.ts";
import { MigrationError } from "../../../core/error.ts";
import { displayTable } from "../../../core/schema.ts";
import type { LoadRequest } from "../../../core/target.ts";
import { classify } from "../connection/errors.ts";

/** The journal has no such partition that waits to be loaded. */
export function taken(request: LoadRequest): MigrationError {
  const { id } = request.plan.source;
  return new MigrationError("load.partition_taken", {
    message: `Partition ${request.partition.id} of ${displayTable(id)} is not waiting to be loaded any more.`,
    subject: displayTable(id),
    table: id,
  });
}

export function loadError(error: unknown, endpoint: EndpointConfig, request: LoadRequest): MigrationError {
  return classify(error, { side: "target", endpoint, table: request.plan.source.id });
}
