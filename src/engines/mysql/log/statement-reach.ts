import { MigrationError } from "../../../core/error.ts";
import { displayTable, type TableId, type TableSchema, tableKey } from "../../../core/schema.ts";
import { literal } from "../catalog/identifier.ts";
import type { Client } from "../connection/client.ts";
import { namesIn, type RowsStatement } from "./binlog-statement.ts";

/*
 * A statement that is logged instead of its rows names what it writes to: a view, a table with a trigger, or nothing but
 * a function. Which tables are changed then only the catalog tells, as it is when the statement is read. All that
 * such an object's text names counts as changed: it is better to end a task for nothing than to miss a change.
 */

export function statementLogged(table: TableId, through?: string): MigrationError {
  const how = through === undefined ? "" : ` through ${through}`;
  return new MigrationError("source.binary_log_format", {
    message: `The source has logged a statement that may have changed ${displayTable(table)}${how} instead of the rows.`,
    subject: displayTable(table),
  });
}

/** What the catalog says, kept until the log tells of a statement that may have changed it. */
export class StatementReach {
  readonly #open: () => Promise<Client>;
  readonly #tables: readonly TableSchema[];
  #definitions = -1;
  #objects: readonly NamedText[] | undefined;
  /** Tables and views by the names that statements give them; undefined for what the user does not see. */
  readonly #targets = new Map<string, TableId | undefined>();

  /** `open`: a session at the server whose log is read. */
  constructor(open: () => Promise<Client>, tables: readonly TableSchema[]) {
    this.#open = open;
    this.#tables = tables;
  }

  /**
   * Throws `source.binary_log_format` when a statement that names none of the tables may have changed one of them.
   * `definitions`: how many statements that change no rows the log has told of.
   */
  async check(statement: RowsStatement, definitions: number): Promise<void> {
    const { target, makes } = statement;
    await this.#read(target, definitions);
    const objects = this.#objects!;
    const names = statement.names();
    const reach = new Reach(this.#tables, objects);
    if (target === undefined) {
      // A new table has neither triggers nor is it a view; what it is filled with may call functions.
      reach.check(objects.filter((one) => names.has(one.name) && (!makes || one.kind === "routine")));
      return;
    }
    const own = this.#targets.get(tableKey(target));
    if (own === undefined) throw unknownTarget(target, this.#tables[0]!.id);
    const isOwn = ({ kind, schema, name }: NamedText): boolean =>
      kind !== "routine" && same(schema, own.schema) && same(name, own.name);
    reach.check(objects.filter((one) => isOwn(one) || (one.kind === "routine" && names.has(one.name))));
  }

  async #read(target: TableId | undefined, definitions: number): Promise<void> {
    if (this.#definitions !== definitions) {
      this.#objects = undefined;
      this.#targets.clear();
    }
    const key = target === undefined ? undefined : tableKey(target);
    const isKnown = key === undefined || this.#targets.has(key);
    if (this.#objects !== undefined && isKnown) return;
    await using client = await this.#open();
    this.#objects ??= await readObjects(client);
    if (key !== undefined && !isKnown) this.#targets.set(key, await readTarget(client, target!));
    this.#definitions = definitions;
  }
}

/** An object through which a statement may change tables that it does not name. */
interface NamedText {
  readonly kind: "view" | "trigger" | "routine";
  readonly schema: string;
  /** By which statements reach it, in lower case: a trigger's is its table's. */
  readonly name: string;
  /** Names in its text, in lower case; undefined where the user may not see that. */
  readonly names: ReadonlySet<string> | undefined;
}

/** Which objects lead to the tables, one through another. */
class Reach {
  readonly #tables: readonly TableSchema[];
  readonly #objects: readonly NamedText[];
  readonly #seen = new Set<NamedText>();

  constructor(tables: readonly TableSchema[], objects: readonly NamedText[]) {
    this.#tables = tables;
    this.#objects = objects;
  }

  /** Throws for the first that leads to one. */
  check(objects: readonly NamedText[]): void {
    for (const object of objects) {
      if (this.#seen.has(object)) continue;
      this.#seen.add(object);
      const { names } = object;
      const table = this.#tables.find(({ id }) => names?.has(id.name.toLowerCase()) !== false);
      if (table !== undefined) throw statementLogged(table.id, describe(object));
      this.check(this.#objects.filter(({ name }) => names!.has(name)));
    }
  }
}

function describe({ kind, schema, name, names }: NamedText): string {
  const what = kind === "trigger" ? `a trigger of ${schema}.${name}` : `the ${kind} ${schema}.${name}`;
  return names === undefined ? `${what}, whose text the user may not see,` : what;
}

function unknownTarget(target: TableId, table: TableId): MigrationError {
  return new MigrationError("source.binary_log_format", {
    message: `The source has logged a statement that writes to ${displayTable(target)} instead of the rows. The user does not see what that is: it may be a view of ${displayTable(table)} or another table of the task.`,
    subject: displayTable(target),
  });
}

const SYSTEM = "('mysql', 'information_schema', 'performance_schema', 'sys')";

async function readObjects(client: Client): Promise<readonly NamedText[]> {
  const rows = await client.query<{
    readonly kind: NamedText["kind"];
    readonly schema: string;
    readonly name: string;
    readonly text: string | null;
  }>(`
    select 'view' as kind, table_schema as \`schema\`, table_name as name, view_definition as text
      from information_schema.views where table_schema not in ${SYSTEM}
    union all
    select 'trigger', event_object_schema, event_object_table, action_statement
      from information_schema.triggers where event_object_schema not in ${SYSTEM}
    union all
    select 'routine', routine_schema, routine_name, routine_definition
      from information_schema.routines where routine_schema not in ${SYSTEM}`);
  return rows.map(({ kind, schema, name, text }) => ({
    ...{ kind, schema, name: name.toLowerCase() },
    names: text === null || text === "" ? undefined : namesIn(text),
  }));
}

/** The table or view as the catalog writes its name; undefined where there is none that the user sees. */
async function readTarget(client: Client, { schema, name }: TableId): Promise<TableId | undefined> {
  const [row] = await client.query<TableId>(
    `select table_schema as \`schema\`, table_name as name from information_schema.tables
      where table_schema = ${literal(schema)} and table_name = ${literal(name)}`,
  );
  return row;
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
