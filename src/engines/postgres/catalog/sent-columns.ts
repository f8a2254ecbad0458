import type { Column, TableSchema } from "../../../core/schema.ts";

/** From this version on a publication can hold generated columns that are stored. */
const PUBLISHES_STORED = 18;

export interface SentColumns {
  /** As server_version shows it. */
  readonly serverVersion: string;
  /** Rows are read, but none of their changes. */
  readonly rowsOnly: boolean;
}

/** Marks the generated columns whose values the server sends: all of them with rows, fewer with changes. */
export function withSent<Table extends Pick<TableSchema, "columns">>(
  table: Table,
  { serverVersion, rowsOnly }: SentColumns,
): Table {
  const publishes = Number.parseInt(serverVersion, 10) >= PUBLISHES_STORED;
  const columns = table.columns.map((column): Column => {
    const isSent = rowsOnly || (publishes && column.virtual !== true);
    return column.generated !== undefined && isSent ? { ...column, sends: true } : column;
  });
  return { ...table, columns };
}

/** Whether the server computes a column that is an ordinary one to the task. */
export function isComputedThere({ generated, sends }: Column): boolean {
  return generated === undefined && sends === true;
}
