import { originsOf, type RowFilter, readTable } from "../../core/plan.ts";
import type { RowChunk } from "../../core/row-chunk.ts";
import type { BucketChoice, DigestColumn, DigestForm } from "../../core/row-digest.ts";
import { sentColumns } from "../../core/row-inserts.ts";
import type { Column, TableSchema } from "../../core/schema.ts";
import type { Partition, ReadRequest, Snapshot } from "../../core/source.ts";
import { readRows } from "../read-rows.ts";
import { type ComparedTable, readOrdinals } from "./compared-table.ts";

export type SideName = "source" | "target";

/** Where the value of a compared column stands in the rows that are read of a side. */
export interface ReadCell {
  readonly cell: number;
  readonly column: Column;
  readonly form: DigestForm;
}

export interface RowPart {
  readonly partition: Partition;
  /** Rows that it holds for alone. All when left out. */
  readonly only?: RowFilter;
  /** Rows of these buckets alone; for a side whose server digests. */
  readonly digested?: BucketChoice;
}

/** A compared table on one of the two sides. */
export interface ComparedSide {
  readonly name: SideName;
  /** As the server has it. */
  readonly table: TableSchema;
  /** What its server digests; undefined where a value is made by rules, or is in no form that the server can write. */
  readonly digests: readonly DigestColumn[] | undefined;
  /** The rows that take part. All when left out. */
  readonly filter?: RowFilter;
  /** In the order of the compared columns. */
  readonly cells: readonly ReadCell[];
  /** Cells of a row that is read. */
  readonly width: number;
  /** Rows in the format `pg-copy-text`, as rules leave them. */
  read(snapshot: Snapshot, part: RowPart, signal: AbortSignal): AsyncIterable<RowChunk>;
}

const FORMAT = "pg-copy-text";

/** What is asked of a server whether it can digest values. */
export type Digesting = Pick<Snapshot, "digestsAs">;

export function sourceSide({ plan, columns }: ComparedTable, snapshot: Digesting): ComparedSide {
  const table = readTable(plan);
  const origins = originsOf(plan);
  const sent = sentColumns(plan.source);
  const digests = columns.map(({ ordinal, form }): DigestColumn | undefined => {
    const origin = origins[ordinal]!;
    if (origin.kind !== "column" || origin.mask !== undefined || origin.cut !== undefined) return undefined;
    const isWritten = snapshot.digestsAs(table.columns[origin.ordinal]!, form);
    return isWritten ? { ordinal: origin.ordinal, form } : undefined;
  });
  return {
    ...{ name: "source", table, digests: allOf(digests), width: sent.length },
    ...(plan.rows?.filter === undefined ? {} : { filter: plan.rows.filter }),
    cells: columns.map(({ ordinal, form, source: column }) => ({
      cell: sent.indexOf(ordinal),
      column,
      form,
    })),
    read: (of, part, signal) =>
      readRows(plan, { ...part, format: FORMAT, snapshot: of, counts: { cuts: 0 } }, signal),
  };
}

export function targetSide({ columns, target: table }: ComparedTable, snapshot: Digesting): ComparedSide {
  const read = readOrdinals(columns);
  const digests = columns.map(({ target, targetOrdinal: ordinal, form }): DigestColumn | undefined =>
    snapshot.digestsAs(target, form) ? { ordinal, form } : undefined,
  );
  return {
    ...{ name: "target", table, digests: allOf(digests), width: read.length },
    cells: columns.map(({ targetOrdinal, form, target: column }) => {
      return { cell: read.indexOf(targetOrdinal), column, form };
    }),
    read: (of, { only, ...part }, signal) => {
      const filter = only === undefined ? {} : { filter: only };
      const request: ReadRequest = { ...part, ...filter, table, format: FORMAT, columns: read };
      return of.read(request, signal);
    },
  };
}

/** Either the server digests whole rows, or none. */
function allOf(digests: readonly (DigestColumn | undefined)[]): readonly DigestColumn[] | undefined {
  const found = digests.filter((one) => one !== undefined);
  return found.length === digests.length ? found : undefined;
}

/** All rows that take part, as a server is asked about them. */
export function askedRows({ table, filter }: ComparedSide): Pick<ComparedSide, "table" | "filter"> {
  return filter === undefined ? { table } : { table, filter };
}
