import type { EndpointConfig } from "../../../core/engine.ts";
import type { MigrationError } from "../../../core/error.ts";
import { type TableId, type TableSchema, tableKey } from "../../../core/schema.ts";
import type { NoteFilter, SchemaNote } from "../../../core/schema-note.ts";
import { tableChanged } from "../../../core/table-shape.ts";
import { readDefaultCollations } from "../catalog/charset-facts.ts";
import { silentKeyTexts } from "../catalog/table-shape.ts";
import { typeChoices } from "../catalog/type-map.ts";
import type { Client } from "../connection/client.ts";
import { alteredTable } from "../ddl/altered-table.ts";
import type { DefinitionContext } from "../ddl/defined-column.ts";
import { isPassing } from "../ddl/passing-names.ts";
import { swappedTable } from "../ddl/swapped-table.ts";
import { inLowerCase, type RenamedTable, type TableStatement } from "../ddl/table-statement.ts";
import type { LogPoint } from "./binlog-seen.ts";
import type { DefinitionStatement } from "./binlog-statement.ts";
import type { LogTables, RowMisfit } from "./binlog-tables.ts";
import { droppedTable, newTable, noteOf } from "./note-text.ts";
import { type FoundCopies, TableCopies } from "./table-copies.ts";

export type DefinitionFacts = Omit<DefinitionContext, "isStrict">;

/** What must be known to read definitions in statements, as the server has it now. */
export async function readDefinitionFacts(
  client: Client,
  endpoint: EndpointConfig,
): Promise<DefinitionFacts> {
  return {
    facts: client.facts,
    choices: typeChoices(endpoint),
    collations: await readDefaultCollations(client),
  };
}

export interface NoteOptions {
  readonly definitions: DefinitionFacts;
  /** See ChangeStreamRequest. */
  readonly takes: NoteFilter;
  readonly copies?: FoundCopies | undefined;
}

/** What a statement does to the stream's tables. */
export interface ReadStatement {
  /** Those that the consumer takes. */
  readonly notes: readonly SchemaNote[];
  readonly misfits: readonly RowMisfit[];
  /** Tables of which no more is to be said, by index: what the statement does to them is noted, or is over. */
  readonly settled: ReadonlySet<number>;
}

const UNREAD: ReadStatement = { notes: [], misfits: [], settled: new Set() };

/**
 * Makes notes of statements in the log (decision 032): what a statement does to a table as it was described makes the table
 * as it is from there on. No server is asked how a table is now to know how it was then.
 */
export class TableNotes {
  readonly #tables: LogTables;
  readonly #options: NoteOptions;
  readonly #ids: readonly TableId[];
  readonly #copies: TableCopies;

  constructor(tables: LogTables, options: NoteOptions) {
    this.#tables = tables;
    this.#options = options;
    this.#ids = tables.all.map(({ id }) => id);
    this.#copies = new TableCopies(options.copies);
  }

  read({ read, names, isStrict }: DefinitionStatement, commit: LogPoint): ReadStatement {
    const statement = read();
    if (statement === undefined) {
      this.#copies.forget(names(), commit);
      return UNREAD;
    }
    const { lowerCaseTableNames } = this.#options.definitions.facts;
    const named = lowerCaseTableNames === 1 ? inLowerCase(statement) : statement;
    const found = this.#read(named, { commit, isStrict });
    const answers = Map.groupBy(found.notes, (note) => this.#options.takes(note, commit.position));
    const left = new Set(answers.get("left")?.map(({ shape }) => shape.table));
    const isLeft = (index: number): boolean => left.has(this.#tables.all[index]!.shape?.table ?? "");
    const settled = new Set([...found.settled].filter((index) => !isLeft(index)));
    return { ...found, notes: answers.get("taken") ?? [], settled };
  }

  #read(
    statement: TableStatement,
    { commit, isStrict }: { readonly commit: LogPoint; readonly isStrict: boolean },
  ): ReadStatement {
    const context = { ...this.#options.definitions, isStrict };
    switch (statement.kind) {
      case "alter":
        return this.#altered(statement, context, commit);
      case "rename":
        return this.#renamed(statement.pairs, commit);
      case "drop":
        return this.#dropped(statement.tables, commit);
      case "create":
        return this.#created(statement, context, commit);
      case "create-trigger":
      case "drop-trigger":
        this.#copies.trigger(statement, commit);
        return UNREAD;
    }
  }

  #created(
    { table: id, form }: Extract<TableStatement, { readonly kind: "create" }>,
    context: DefinitionContext,
    commit: LogPoint,
  ): ReadStatement {
    // IF NOT EXISTS: it does.
    if (this.#tables.indexOf(id.schema, id.name) !== undefined) return UNREAD;
    if (!isPassing(id, this.#ids)) return { ...UNREAD, notes: [newTable(id)] };
    const model = form !== undefined && "like" in form ? form.like : undefined;
    const index = model === undefined ? undefined : this.#tables.indexOf(model.schema, model.name);
    const found = index === undefined ? undefined : this.#tables.followed(index, commit);
    this.#copies.create(id, form, { context, commit, like: found === "ahead" ? undefined : found });
    return UNREAD;
  }

  #altered(
    { table: id, clauses }: Extract<TableStatement, { readonly kind: "alter" }>,
    context: DefinitionContext,
    commit: LogPoint,
  ): ReadStatement {
    const to = clauses.findLast((clause) => clause.kind === "rename")?.to;
    const index = this.#tables.indexOf(id.schema, id.name);
    if (to !== undefined && (index === undefined || clauses.length === 1)) {
      return this.#renamed([{ from: id, to }], commit);
    }
    if (index === undefined) this.#copies.alter(id, clauses, { context, commit });
    const before = index === undefined ? undefined : this.#tables.followed(index, commit);
    if (index === undefined || before === undefined) return UNREAD;
    const settled = new Set([index]);
    if (before === "ahead") return { ...UNREAD, settled };
    const altered = alteredTable(before, clauses, context);
    if (altered === undefined) return UNREAD;
    const { refusal, table } = altered;
    // What others refer to has another name in them, too.
    if (this.#referrers(index).some((other) => isReferredOtherwise(other, before, table, to))) return UNREAD;
    if (refusal !== undefined) return { ...UNREAD, misfits: [misfit(index, before, refusal)], settled };
    return { ...UNREAD, notes: [noteOf(before, to === undefined ? table : { ...table, id: to })], settled };
  }

  /** One after the other: a name may be given up and taken in one statement. */
  #renamed(pairs: readonly RenamedTable[], commit: LogPoint): ReadStatement {
    const places = new Map<string, number | undefined>();
    const names = new Map<number, TableId>();
    const others: RenamedTable[] = [];
    const at = (id: TableId): number | undefined => {
      const key = tableKey(id);
      return places.has(key) ? places.get(key) : this.#tables.indexOf(id.schema, id.name);
    };
    for (const { from, to } of pairs) {
      const index = at(from);
      places.set(tableKey(from), undefined);
      places.set(tableKey(to), index);
      if (index === undefined) others.push({ from, to });
      else names.set(index, to);
    }
    const swapped = this.#swapped(others, { names, commit });
    const notes: SchemaNote[] = [...swapped.notes];
    const misfits = swapped.misfits;
    const settled = new Set<number>(swapped.settled);
    for (const index of settled) names.delete(index);
    for (const { from } of pairs) this.#copies.drop(from, commit);
    const ends = new Map([...names].map(([index, id]) => [tableKey(this.#tables.all[index]!.id), id]));
    for (const [index, id] of names) {
      const before = this.#tables.followed(index, commit);
      if (before === undefined) return UNREAD;
      settled.add(index);
      if (before !== "ahead") notes.push(noteOf(before, { ...referringTo(before, ends), id }));
    }
    for (const referrer of [...names.keys()].flatMap((index) => this.#referrers(index))) {
      const index = this.#tables.all.indexOf(referrer);
      const before =
        names.has(index) || settled.has(index) ? undefined : this.#tables.followed(index, commit);
      if (before === undefined || before === "ahead") continue;
      settled.add(index);
      notes.push(noteOf(before, referringTo(before, ends)));
    }
    for (const { to } of pairs) {
      const index = this.#tables.indexOf(to.schema, to.name);
      if (index !== undefined && this.#tables.followed(index, commit) === "ahead") settled.add(index);
    }
    const isNew = (id: TableId): boolean =>
      this.#tables.indexOf(id.schema, id.name) === undefined && !isPassing(id, this.#ids);
    const fresh = others.map(({ to }) => to).filter(isNew);
    return { misfits, notes: [...notes, ...fresh.map(newTable)], settled };
  }

  /** Tables whose names other tables take, that are none of the stream's: copies that have all their rows. */
  #swapped(
    pairs: readonly RenamedTable[],
    { names, commit }: { readonly names: ReadonlyMap<number, TableId>; readonly commit: LogPoint },
  ): ReadStatement {
    const notes: SchemaNote[] = [];
    const misfits: RowMisfit[] = [];
    const settled = new Set<number>();
    for (const { from, to } of pairs) {
      const index = this.#tables.indexOf(to.schema, to.name);
      if (index === undefined) continue;
      const before = this.#tables.followed(index, commit);
      if (before === undefined) continue;
      settled.add(index);
      if (before === "ahead") continue;
      const copy =
        isPassing(from, [to]) && names.has(index) ? this.#copies.taking(from, to, commit) : undefined;
      const after =
        copy === undefined
          ? { how: "was replaced by another, of which the log has not told what it holds" }
          : this.#referrers(index).length > 0
            ? { how: "was replaced by a copy, and others refer to it" }
            : swappedTable(before, copy);
      if ("how" in after) misfits.push(misfit(index, before, after.how));
      else notes.push(noteOf(before, after.table));
    }
    return { notes, misfits, settled };
  }

  /** Tables with foreign keys to one. */
  #referrers(index: number): readonly TableSchema[] {
    const key = tableKey(this.#tables.all[index]!.id);
    return this.#tables.all.filter(({ foreignKeys }) =>
      foreignKeys.some(({ references }) => tableKey(references) === key),
    );
  }

  #dropped(tables: readonly TableId[], commit: LogPoint): ReadStatement {
    const notes: SchemaNote[] = [];
    const settled = new Set<number>();
    for (const id of tables) {
      const index = this.#tables.indexOf(id.schema, id.name);
      if (index === undefined) this.#copies.drop(id, commit);
      const before = index === undefined ? undefined : this.#tables.followed(index, commit);
      if (index === undefined || before === undefined) continue;
      settled.add(index);
      if (before !== "ahead") notes.push(droppedTable(before));
    }
    return { ...UNREAD, notes, settled };
  }
}

/** The table with foreign keys to tables of other names. `ends`: by their keys, what these are called now. */
function referringTo(table: TableSchema, ends: ReadonlyMap<string, TableId>): TableSchema {
  const foreignKeys = table.foreignKeys.map((key) => {
    const references = ends.get(tableKey(key.references));
    return references === undefined ? key : { ...key, references };
  });
  return { ...table, foreignKeys, shape: { ...table.shape!, silentKeys: silentKeyTexts(foreignKeys) } };
}

/** Whether a table's foreign keys to one that was altered would be others. */
function isReferredOtherwise(
  { foreignKeys }: TableSchema,
  before: TableSchema,
  after: TableSchema,
  to: TableId | undefined,
): boolean {
  const numbers = ({ shape }: TableSchema): ReadonlyMap<string, number> =>
    new Map(shape!.columns.map(({ name, number }) => [name.toLowerCase(), number]));
  const [was, is] = [numbers(before), numbers(after)];
  const columns = foreignKeys
    .filter(({ references }) => tableKey(references) === tableKey(before.id))
    .flatMap(({ referencedColumns }) => referencedColumns.map((name) => name.toLowerCase()));
  return columns.some((name) => to !== undefined || was.get(name) !== is.get(name));
}

function misfit(table: number, { id }: TableSchema, how: string): RowMisfit {
  const error: MigrationError = tableChanged(id, how);
  return { table, error };
}
