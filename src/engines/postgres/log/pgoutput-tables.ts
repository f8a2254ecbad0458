import { MigrationError } from "../../../core/error.ts";
import { type TableSchema, tableKey } from "../../../core/schema.ts";
import type { SchemaNote } from "../../../core/schema-note.ts";
import type { TableShape } from "../../../core/table-shape.ts";
import { lsnValue } from "../catalog/lsn.ts";
import {
  type ColumnTypes,
  mapRelation,
  type RelationMap,
  type RelationMessage,
  type RelationMisfit,
} from "./pgoutput-relation.ts";

export interface StreamTablesOptions {
  readonly tables: readonly TableSchema[];
  /** Per table key; tables without an entry are checked by column names alone. */
  readonly types?: ReadonlyMap<string, ColumnTypes> | undefined;
  /** Per table key; see RelationTable. */
  readonly laterValues?: ReadonlyMap<string, ReadonlyMap<string, Uint8Array>> | undefined;
}

/** The stream's tables, as the place that the decoder has come to shows them. */
export class StreamTables {
  readonly #options: StreamTablesOptions;
  /** By the number of the relation where that is known, else by key. */
  readonly #indexes = new Map<string, number>();
  /** What notes have told of tables that the description is ahead of. */
  readonly #noted = new Map<number, TableShape>();

  constructor(options: StreamTablesOptions) {
    this.#options = options;
    for (const [index, { id, rowIdentity, shape }] of options.tables.entries()) {
      if (rowIdentity !== "none") this.#indexes.set(shape?.table ?? tableKey(id), index);
    }
  }

  /** From here on the table is what the note says, up to where its description begins. */
  note({ shape }: SchemaNote): void {
    const index = this.#indexes.get(shape.table);
    if (index !== undefined) this.#noted.set(index, shape);
  }

  /**
   * How the rows of a relation become those of its table; undefined for one that is not among the tables. `commit`:
   * where the transaction commits that describes it.
   */
  fit(
    relation: number,
    message: RelationMessage,
    commit: bigint | undefined,
  ): RelationMap | RelationMisfit | undefined {
    const id = { schema: message.schema, name: message.name };
    const index = this.#indexes.get(String(relation)) ?? this.#indexes.get(tableKey(id));
    if (index === undefined) return undefined;
    const { tables, types, laterValues } = this.#options;
    const schema = tables[index]!;
    const key = tableKey(schema.id);
    try {
      return mapRelation(message, {
        schema,
        index,
        types: types?.get(key),
        laterValues: laterValues?.get(key),
        shape: this.#shapeAt(index, schema, commit),
      });
    } catch (error) {
      if (error instanceof MigrationError && error.scope === "table") return { table: index, error };
      throw error;
    }
  }

  #shapeAt(index: number, { shape }: TableSchema, commit: bigint | undefined): TableShape | undefined {
    const place = shape?.place;
    if (place === undefined || commit === undefined || commit > lsnValue(place.position)) return shape;
    return this.#noted.get(index) ?? place.before;
  }
}
