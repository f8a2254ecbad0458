import type { Position } from "../../../core/position.ts";
import { type TableId, type TableSchema, tableKey } from "../../../core/schema.ts";
import { describe } from "../catalog/catalog.ts";
import { literal } from "../catalog/identifier.ts";
import type { TypeChoices } from "../catalog/type-map.ts";
import type { Client } from "../connection/client.ts";
import type { TableClause } from "../ddl/alter-clause.ts";
import { alteredTable, createdTable } from "../ddl/altered-table.ts";
import type { DefinitionContext } from "../ddl/defined-column.ts";
import { copiesOf } from "../ddl/passing-names.ts";
import type { TableCopy } from "../ddl/swapped-table.ts";
import type { CreatedForm } from "../ddl/table-statement.ts";
import { positionCodec } from "./binlog-position.ts";
import type { LogPoint } from "./binlog-seen.ts";
import { currentPosition } from "./log-state.ts";

/** Copies that were there when a stream began. */
export interface FoundCopies {
  readonly tables: readonly TableSchema[];
  /** What the log tells up to here is in them. */
  readonly since: Position;
  /** What it tells after this is not. */
  readonly until: Position;
}

/** Finds copies of tables that tools are at work on. */
export async function findCopies(
  client: Client,
  tables: readonly TableSchema[],
  choices: TypeChoices,
): Promise<FoundCopies> {
  const since = await currentPosition(client);
  const schemas = [...new Set(tables.map(({ id }) => id.schema))];
  const listed =
    schemas.length === 0
      ? []
      : await client.query<TableId>(
          `select table_schema as \`schema\`, table_name as name from information_schema.tables
            where table_schema in (${schemas.map(literal).join(", ")}) and table_name like '\\_%'`,
        );
  const ids = copiesOf(
    tables.map(({ id }) => id),
    listed.map(({ schema, name }) => ({ schema, name })),
  );
  const found = ids.length === 0 ? [] : (await describe(client, ids, choices)).tables;
  return { tables: found, since, until: await currentPosition(client) };
}

/** Tables beside the stream's of which statements in the log tell what they are, from their making on. */
export class TableCopies {
  readonly #found: FoundCopies | undefined;
  readonly #copies = new Map<string, TableCopy>();
  /** Keys of those that were described. */
  readonly #described = new Set<string>();

  constructor(found: FoundCopies | undefined) {
    this.#found = found;
    for (const table of found?.tables ?? []) {
      this.#copies.set(tableKey(table.id), { table, madeWith: undefined, refusal: undefined });
      this.#described.add(tableKey(table.id));
    }
  }

  get(id: TableId): TableCopy | undefined {
    return this.#copies.get(tableKey(id));
  }

  /** `like`: the table that a form names, where the stream knows it. */
  create(
    id: TableId,
    form: CreatedForm | undefined,
    { context, like, commit }: CopyContext & { readonly like: TableSchema | undefined },
  ): void {
    if (this.#isSettled(id, commit)) return;
    let table: TableSchema | undefined;
    if (form !== undefined && "like" in form) {
      const model = like ?? this.get(form.like)?.table;
      table = model === undefined ? undefined : { ...model, id, foreignKeys: [] };
    } else if (form !== undefined) {
      table = createdTable(id, form.clauses, { context, collation: undefined });
    }
    if (table === undefined) this.#copies.delete(tableKey(id));
    else this.#copies.set(tableKey(id), { table, madeWith: table.shape!.columns, refusal: undefined });
  }

  alter(id: TableId, clauses: readonly TableClause[], { context, commit }: CopyContext): void {
    if (this.#isSettled(id, commit)) return;
    const copy = this.get(id);
    const altered = copy === undefined ? undefined : alteredTable(copy.table, clauses, context);
    if (altered === undefined) this.#copies.delete(tableKey(id));
    else this.#copies.set(tableKey(id), { ...copy!, table: altered.table });
  }

  drop(id: TableId, commit: LogPoint): void {
    if (!this.#isSettled(id, commit)) this.#copies.delete(tableKey(id));
  }

  /** Forgets those that a statement may be about of which not all is certain. `names`: in lower case. */
  forget(names: ReadonlySet<string>, commit: LogPoint): void {
    for (const { table } of [...this.#copies.values()]) {
      if (names.has(table.id.name.toLowerCase())) this.drop(table.id, commit);
    }
  }

  /** Whether a table is as it was described whatever the statement says, or is not known any more. */
  #isSettled(id: TableId, { position }: LogPoint): boolean {
    const key = tableKey(id);
    if (this.#found === undefined || !this.#described.has(key)) return false;
    const { since, until } = this.#found;
    const isPast = (end: Position): boolean => positionCodec.compare(position, end) === 1;
    if (!isPast(since)) return true;
    this.#described.delete(key);
    if (isPast(until)) return false;
    this.#copies.delete(key);
    return true;
  }
}

export interface CopyContext {
  readonly context: DefinitionContext;
  readonly commit: LogPoint;
}
