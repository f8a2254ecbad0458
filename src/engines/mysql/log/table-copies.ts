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
import type { TriggerStatement } from "../ddl/trigger-statement.ts";
import { positionCodec } from "./binlog-position.ts";
import type { LogPoint } from "./binlog-seen.ts";
import { currentPosition } from "./log-state.ts";
import { type FoundSigns, findSigns, ToolSigns } from "./tool-signs.ts";

/** Copies that were there when a stream began. */
export interface FoundCopies {
  readonly tables: readonly TableSchema[];
  /** What the log tells up to here is in them. */
  readonly since: Position;
  /** What it tells after this is not. */
  readonly until: Position;
  readonly signs: FoundSigns;
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
      : (
          await client.query<TableId>(
            `select table_schema as \`schema\`, table_name as name from information_schema.tables
            where table_schema in (${schemas.map(literal).join(", ")}) and table_name like '\\_%'`,
          )
        ).map(({ schema, name }) => ({ schema, name }));
  const ids = copiesOf(
    tables.map(({ id }) => id),
    listed,
  );
  const found = ids.length === 0 ? [] : (await describe(client, ids, choices)).tables;
  const signs = await findSigns(client, schemas, listed);
  return { tables: found, signs, since, until: await currentPosition(client) };
}

/** Tables beside the stream's of which statements in the log tell what they are, from their making on. */
export class TableCopies {
  readonly #found: FoundCopies | undefined;
  readonly #copies = new Map<string, TableCopy>();
  /** Keys of those that were described. */
  readonly #described = new Set<string>();
  readonly #signs = new ToolSigns();
  /** Those that were found, until the log has come to where they were. */
  #foundSigns: FoundSigns | undefined;

  constructor(found: FoundCopies | undefined) {
    this.#found = found;
    this.#foundSigns = found?.signs;
    for (const table of found?.tables ?? []) {
      this.#copies.set(tableKey(table.id), { table, madeWith: undefined, refusal: undefined });
      this.#described.add(tableKey(table.id));
    }
  }

  /** The copy that takes a table's place; undefined where it is not known, or may lack rows. */
  taking(id: TableId, table: TableId, commit: LogPoint): TableCopy | undefined {
    // One that was described, and takes the place before that, was another of its name.
    const isLater = this.#described.has(tableKey(id)) && !this.#isPast("until", commit);
    return !isLater && this.#signsAt(commit).fills(id, table) ? this.#get(id) : undefined;
  }

  trigger(statement: TriggerStatement, commit: LogPoint): void {
    this.#signsAt(commit).trigger(statement);
  }

  #get(id: TableId): TableCopy | undefined {
    return this.#copies.get(tableKey(id));
  }

  /** `like`: the table that a form names, where the stream knows it. */
  create(
    id: TableId,
    form: CreatedForm | undefined,
    { context, like, commit }: CopyContext & { readonly like: TableSchema | undefined },
  ): void {
    this.#signsAt(commit).tableMade(id);
    if (this.#isSettled(id, commit)) return;
    let table: TableSchema | undefined;
    if (form !== undefined && "like" in form) {
      const model = like ?? this.#get(form.like)?.table;
      table = model === undefined ? undefined : { ...model, id, foreignKeys: [] };
    } else if (form !== undefined) {
      table = createdTable(id, form.clauses, { context, collation: undefined });
    }
    if (table === undefined) this.#copies.delete(tableKey(id));
    else this.#copies.set(tableKey(id), { table, madeWith: table.shape!.columns, refusal: undefined });
  }

  alter(id: TableId, clauses: readonly TableClause[], { context, commit }: CopyContext): void {
    if (this.#isSettled(id, commit)) return;
    const copy = this.#get(id);
    const altered = copy === undefined ? undefined : alteredTable(copy.table, clauses, context);
    if (altered === undefined) this.#copies.delete(tableKey(id));
    else this.#copies.set(tableKey(id), { ...copy!, table: altered.table });
  }

  drop(id: TableId, commit: LogPoint): void {
    this.#signsAt(commit).tableGone(id);
    if (!this.#isSettled(id, commit)) this.#copies.delete(tableKey(id));
  }

  /** Forgets those that a statement may be about of which not all is certain. `names`: in lower case. */
  forget(names: ReadonlySet<string>, commit: LogPoint): void {
    for (const { table } of [...this.#copies.values()]) {
      if (names.has(table.id.name.toLowerCase())) this.drop(table.id, commit);
    }
  }

  /** Whether a table is as it was described whatever the statement says, or is not known any more. */
  #isSettled(id: TableId, commit: LogPoint): boolean {
    const key = tableKey(id);
    if (!this.#described.has(key)) return false;
    if (!this.#isPast("since", commit)) return true;
    this.#described.delete(key);
    if (this.#isPast("until", commit)) return false;
    this.#copies.delete(key);
    return true;
  }

  /** The signs as the log tells of them. What is told in the moment in which others were found makes these unknown. */
  #signsAt(commit: LogPoint): ToolSigns {
    if (this.#foundSigns === undefined || !this.#isPast("since", commit)) return this.#signs;
    if (this.#isPast("until", commit)) this.#signs.add(this.#foundSigns);
    this.#foundSigns = undefined;
    return this.#signs;
  }

  #isPast(end: "since" | "until", { position }: LogPoint): boolean {
    return this.#found !== undefined && positionCodec.compare(position, this.#found[end]) === 1;
  }
}

export interface CopyContext {
  readonly context: DefinitionContext;
  readonly commit: LogPoint;
}
