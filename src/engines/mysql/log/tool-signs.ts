import { type TableId, tableKey } from "../../../core/schema.ts";
import { literal } from "../catalog/identifier.ts";
import type { Client } from "../connection/client.ts";
import type { TriggerStatement } from "../ddl/trigger-statement.ts";
import { namesIn } from "./binlog-statement.ts";

/** A trigger of pt-online-schema-change, which does to a copy what is done to its table. */
export type ToolTrigger = Extract<TriggerStatement, { readonly kind: "create-trigger" }>;

/** Signs that were there at one moment. */
export interface FoundSigns {
  /** Tables in which gh-ost keeps its notes. */
  readonly notes: readonly TableId[];
  readonly triggers: readonly ToolTrigger[];
}

interface TriggerRow {
  readonly schema: string;
  readonly name: string;
  readonly event: string;
  readonly table: string;
  readonly body: string;
}

const GHOST_COPY = /_gho$/;
const GHOST_NOTES = /_ghc$/;
const TOOL_TRIGGER = /^pt_osc_/;
const EVENTS = ["INSERT", "UPDATE", "DELETE"];

/**
 * Signs of the tools that let a copy take a table's place. Only these see to it that the copy has all rows; one that somebody
 * has made by hand under such a name may be empty.
 */
export class ToolSigns {
  readonly #notes = new Set<string>();
  readonly #triggers = new Map<string, ToolTrigger>();

  add({ notes, triggers }: FoundSigns): void {
    for (const id of notes) this.#notes.add(tableKey(id));
    for (const trigger of triggers) this.#triggers.set(tableKey(trigger.name), trigger);
  }

  tableMade(id: TableId): void {
    if (GHOST_NOTES.test(id.name)) this.#notes.add(tableKey(id));
  }

  tableGone(id: TableId): void {
    this.#notes.delete(tableKey(id));
  }

  trigger(statement: TriggerStatement): void {
    const key = tableKey(statement.name);
    if (statement.kind === "create-trigger" && TOOL_TRIGGER.test(statement.name.name)) {
      this.#triggers.set(key, statement);
    } else this.#triggers.delete(key);
  }

  /** Whether a tool is at work that gives the copy each of the table's rows. */
  fills(copy: TableId, table: TableId): boolean {
    if (GHOST_COPY.test(copy.name)) {
      return this.#notes.has(tableKey({ ...copy, name: copy.name.replace(GHOST_COPY, "_ghc") }));
    }
    const filling = [...this.#triggers.values()].filter(
      (trigger) => tableKey(trigger.table) === tableKey(table) && trigger.names.has(copy.name.toLowerCase()),
    );
    return EVENTS.every((event) => filling.some((trigger) => trigger.event === event));
  }
}

/** Signs that are there now. `tables`: of their schemas, by name. */
export async function findSigns(
  client: Client,
  schemas: readonly string[],
  tables: readonly TableId[],
): Promise<FoundSigns> {
  const notes = tables.filter(({ name }) => GHOST_NOTES.test(name));
  if (schemas.length === 0) return { notes, triggers: [] };
  const rows = await client.query<TriggerRow>(
    `select trigger_schema as \`schema\`, trigger_name as name, event_manipulation as event,
        event_object_table as \`table\`, action_statement as body
       from information_schema.triggers
      where trigger_schema in (${schemas.map(literal).join(", ")}) and trigger_name like 'pt\\_osc\\_%'`,
  );
  const triggers = rows.map(
    ({ schema, name, event, table, body }): ToolTrigger => ({
      ...{ kind: "create-trigger", name: { schema, name }, table: { schema, name: table } },
      ...{ event: event.toUpperCase(), names: namesIn(body) },
    }),
  );
  return { notes, triggers };
}
