import {
  type Check,
  type Column,
  type ForeignKey,
  type SilentAction,
  type SilentActions,
  type TableId,
  tableKey,
} from "../../../core/schema.ts";
import type { Client } from "../connection/client.ts";
import { atLeast, type ServerFacts } from "../connection/server-facts.ts";
import { type OfTable, selectOfTables } from "./catalog-query.ts";
import { unescaped } from "./default-text.ts";
import { identifier } from "./identifier.ts";
import { type ActionRow, shownActions } from "./shown-actions.ts";

interface KeyColumnRow extends OfTable {
  readonly name: string;
  readonly column: string;
  readonly otherSchema: string;
  readonly otherTable: string;
  readonly otherColumn: string;
}

/** What the server does without an action's being named; the two words mean the same to it. */
const USUAL_ACTIONS = new Set(["RESTRICT", "NO ACTION"]);

/** Foreign keys by the table's key, by name. */
export async function describeForeignKeys(
  client: Client,
  ids: readonly TableId[],
): Promise<ReadonlyMap<string, readonly ForeignKey[]>> {
  const columns = await selectOfTables<KeyColumnRow>(
    client,
    ids,
    (where) => `
    select table_schema as \`schema\`, table_name as \`table\`, constraint_name as name, column_name as \`column\`,
           referenced_table_schema as otherSchema, referenced_table_name as otherTable,
           referenced_column_name as otherColumn
      from information_schema.key_column_usage where ${where} and referenced_table_name is not null
     order by table_name, constraint_name, ordinal_position`,
  );
  const referring = ids.filter((id) => columns.get(tableKey(id))!.length > 0);
  const actions = await selectOfTables<ActionRow>(
    client,
    referring,
    (where) => `
    select constraint_schema as \`schema\`, table_name as \`table\`, constraint_name as name,
           update_rule as onUpdate, delete_rule as onDelete
      from information_schema.referential_constraints where ${where}`,
    { schema: "constraint_schema", table: "table_name" },
  );
  const found = new Map<string, readonly ForeignKey[]>();
  for (const [key, rows] of columns) {
    const seen = actions.get(key) ?? [];
    const isHidden = rows.some(({ name }) => !seen.some((action) => action.name === name));
    found.set(key, foreignKeys(rows, isHidden ? await shownActions(client, rows[0]!) : seen));
  }
  return found;
}

function foreignKeys(rows: readonly KeyColumnRow[], actions: readonly ActionRow[]): readonly ForeignKey[] {
  const names = [...new Set(rows.map(({ name }) => name))];
  return names.map((name) => {
    const own = rows.filter((row) => row.name === name);
    const first = own[0]!;
    const action = actions.find((one) => one.name === name);
    const silent = action === undefined ? {} : silentActions(action);
    return {
      name,
      columns: own.map(({ column }) => column),
      references: { schema: first.otherSchema, name: first.otherTable },
      referencedColumns: own.map(({ otherColumn }) => otherColumn),
      native: actionText(action),
      validated: true,
      ...(Object.keys(silent).length === 0 ? {} : { silent }),
    };
  });
}

/** By what information_schema calls them. Of other actions the server allows none. */
const SILENT: Readonly<Record<string, SilentAction>> = { CASCADE: "cascade", "SET NULL": "set-null" };

/**
 * InnoDB does these itself and the binary log holds the statement's own rows alone, since a replica's InnoDB does the
 * same again (manual, "InnoDB and MySQL Replication"). From 9.6 on MySQL can log them: each event of rows says so.
 */
function silentActions(action: ActionRow): SilentActions {
  const onDelete = SILENT[action.onDelete];
  const onUpdate = SILENT[action.onUpdate];
  return {
    ...(onDelete === undefined ? {} : { onDelete }),
    ...(onUpdate === undefined ? {} : { onUpdate }),
  };
}

function actionText(action: ActionRow | undefined): string {
  if (action === undefined) return "";
  const { onDelete, onUpdate } = action;
  return [
    ...(USUAL_ACTIONS.has(onDelete) ? [] : [`ON DELETE ${onDelete}`]),
    ...(USUAL_ACTIONS.has(onUpdate) ? [] : [`ON UPDATE ${onUpdate}`]),
  ].join(" ");
}

interface CheckRow extends OfTable {
  readonly name: string;
  readonly clause: string;
  readonly enforced: string;
}

export interface TableChecks {
  readonly checks: readonly Check[];
  /** Columns that a check of their own lets hold nothing but JSON: MariaDB has no other type for it. */
  readonly json: ReadonlySet<string>;
}

/** Checks by the table's key, by name; of MySQL from 8.0.16 on. A check that is not enforced is none. */
export async function describeChecks(
  client: Client,
  ids: readonly TableId[],
): Promise<ReadonlyMap<string, TableChecks>> {
  const { facts } = client;
  const sql = checkSql(facts);
  if (sql === undefined) return new Map();
  const columns = {
    schema: "c.constraint_schema",
    table: facts.flavour === "mariadb" ? "c.table_name" : "t.table_name",
  };
  const rows = await selectOfTables<CheckRow>(client, ids, sql, columns);
  const isMysql = facts.flavour === "mysql";
  return new Map(
    [...rows].map(([key, list]) => {
      const json = new Set(isMysql ? [] : list.flatMap((row) => jsonColumn(row) ?? []));
      const checks = list
        .filter((row) => row.enforced !== "NO")
        .map(({ name, clause }) => {
          return { name, native: `CHECK (${isMysql ? unescaped(clause) : clause})`, validated: true };
        });
      return [key, { checks, json }];
    }),
  );
}

function checkSql(facts: ServerFacts): ((where: string) => string) | undefined {
  if (facts.flavour === "mariadb") {
    return (where) => `
    select c.constraint_schema as \`schema\`, c.table_name as \`table\`, c.constraint_name as name,
           c.check_clause as clause, 'YES' as enforced
      from information_schema.check_constraints c where ${where} order by c.table_name, c.constraint_name`;
  }
  if (!atLeast(facts, 8, 0, 16)) return undefined;
  return (where) => `
    select t.table_schema as \`schema\`, t.table_name as \`table\`, c.constraint_name as name,
           c.check_clause as clause, t.enforced as enforced
      from information_schema.check_constraints c
      join information_schema.table_constraints t
        on t.constraint_schema = c.constraint_schema and t.constraint_name = c.constraint_name
       and t.constraint_type = 'CHECK'
     where ${where} order by t.table_name, c.constraint_name`;
}

/** A check of a column's own is called like the column. */
function jsonColumn({ name, clause }: CheckRow): string | undefined {
  return clause === jsonClause(name) ? name : undefined;
}

function jsonClause(column: string): string {
  return `json_valid(${identifier(column)})`;
}

/** Checks without those that come with columns of the type JSON. */
export function withoutJsonChecks(checks: readonly Check[], columns: readonly Column[]): readonly Check[] {
  const implied = new Set(
    columns
      .filter(({ nativeType }) => nativeType === "json")
      .map(({ name }) => `CHECK (${jsonClause(name)})`),
  );
  return checks.filter(({ native }) => !implied.has(native));
}
