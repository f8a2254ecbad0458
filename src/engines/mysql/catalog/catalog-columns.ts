import type { Column, LogicalType, TableId } from "../../../core/schema.ts";
import type { Client } from "../connection/client.ts";
import { atLeast, type ServerFacts } from "../connection/server-facts.ts";
import { type OfTable, selectOfTables } from "./catalog-query.ts";
import { hasReferences } from "./ddl.ts";
import { type ColumnDefault, columnDefault, unescaped, updateExpression } from "./default-text.ts";
import { logicalType, type TypeChoices } from "./type-map.ts";
import { parseTypeText, withoutRemarks } from "./type-text.ts";

export interface ColumnRow extends OfTable {
  readonly name: string;
  readonly columnType: string;
  readonly nullable: "YES" | "NO";
  readonly defaultText: string | null;
  readonly collation: string | null;
  readonly extra: string;
  readonly expression: string | null;
  readonly comment: string;
}

/** A column with what is asked about it beyond its description. */
export interface FoundColumn {
  readonly column: Column;
  readonly default: ColumnDefault;
  readonly row: ColumnRow;
}

/**
 * The columns of tables in their order, by the table's key. Columns in which MariaDB keeps the time of a row's version
 * are not the table's own: nobody writes them.
 */
export async function describeColumns(
  client: Client,
  ids: readonly TableId[],
  { choices, json }: { readonly choices: TypeChoices; readonly json: JsonColumns },
): Promise<ReadonlyMap<string, readonly FoundColumn[]>> {
  const rows = await selectColumnRows(client, ids);
  const found = new Map<string, readonly FoundColumn[]>();
  for (const [key, list] of rows) {
    const checked = json.get(key);
    found.set(
      key,
      list.map((row) => {
        const isJson = checked?.has(row.name) === true;
        return columnOfRow(row, { choices, isJson, facts: client.facts });
      }),
    );
  }
  return found;
}

/** Names of the columns that MariaDB keeps JSON in: text with a check that it is some; by the table's key. */
export type JsonColumns = ReadonlyMap<string, ReadonlySet<string>>;

async function selectColumnRows(
  client: Client,
  ids: readonly TableId[],
): Promise<ReadonlyMap<string, readonly ColumnRow[]>> {
  // What a column of shapes is bound to stands beside its type.
  const type = hasReferences(client.facts)
    ? "if(srs_id is null, column_type, concat(column_type, ' srid ', srs_id))"
    : "column_type";
  const rows = await selectOfTables<ColumnRow>(
    client,
    ids,
    (where) => `
    select table_schema as \`schema\`, table_name as \`table\`, column_name as name, ${type} as columnType,
           is_nullable as nullable, column_default as defaultText, collation_name as collation, extra as extra, generation_expression as expression, column_comment as comment
      from information_schema.columns where ${where} order by table_name, ordinal_position`,
  );
  return new Map([...rows].map(([key, list]) => [key, list.filter((row) => !isOfVersion(row))]));
}

/** `isJson`: a check of its own lets the column hold nothing else. */
export function columnOfRow(
  row: ColumnRow,
  {
    choices,
    isJson,
    facts,
  }: { readonly choices: TypeChoices; readonly isJson: boolean; readonly facts: ServerFacts },
): FoundColumn {
  const found = foundColumn(row, isJson ? { kind: "json" } : typeOf(row, choices), facts);
  return isJson ? { ...found, column: jsonColumn(found.column) } : found;
}

/** MariaDB's ROW START and ROW END of a system-versioned table. */
function isOfVersion({ expression }: Pick<ColumnRow, "expression">): boolean {
  return expression === "ROW START" || expression === "ROW END";
}

function typeOf({ columnType }: ColumnRow, choices: TypeChoices): LogicalType {
  return logicalType(parseTypeText(columnType), choices);
}

/** What JSON becomes in PostgreSQL, whose type of the same name is another. */
const SENT_AS_JSONB: Pick<Column, "binaryAs"> = { binaryAs: "jsonb" };

function foundColumn(row: ColumnRow, type: LogicalType, facts: ServerFacts): FoundColumn {
  const isGenerated = row.expression !== null && row.expression !== "";
  const value: ColumnDefault = isGenerated ? { kind: "none" } : columnDefault(row, type, facts);
  const column: Column = {
    name: row.name,
    nativeType: withoutRemarks(row.columnType),
    type,
    ...(type.kind === "json" ? SENT_AS_JSONB : {}),
    nullable: row.nullable === "YES",
    ...(/\binvisible\b/i.test(row.extra) ? { invisible: true as const } : {}),
    ...defaultClause(row, value),
    ...(/\bauto_increment\b/i.test(row.extra) ? { identity: "by-default" as const } : {}),
    ...(isGenerated ? { generated: expressionText(row.expression!, facts), sends: true as const } : {}),
    ...(isGenerated && /\bvirtual\b/i.test(row.extra) ? { virtual: true as const } : {}),
    ...(row.collation === null ? {} : { collation: row.collation }),
    ...(row.comment === "" ? {} : { comment: row.comment }),
  };
  return { column, default: value, row };
}

/** What an update sets the column to follows its default, as it does in DDL: `NULL ON UPDATE current_timestamp()`. */
function defaultClause(row: ColumnRow, value: ColumnDefault): Pick<Column, "default"> {
  const onUpdate = updateExpression(row.extra);
  if (onUpdate === undefined) return value.kind === "none" ? {} : { default: value.native };
  const ofNone = row.nullable === "YES" ? "NULL " : "";
  return { default: `${value.kind === "none" ? ofNone : `${value.native} `}ON UPDATE ${onUpdate}` };
}

/** The type JSON is longtext of this collation with a check, and its name makes all that again. */
function jsonColumn({ collation, ...column }: Column): Column {
  const isPlain = column.nativeType === "longtext" && collation === "utf8mb4_bin";
  return isPlain
    ? { ...column, nativeType: "json" }
    : { ...column, ...(collation === undefined ? {} : { collation }) };
}

function expressionText(expression: string, facts: ServerFacts): string {
  return facts.flavour === "mysql" && atLeast(facts, 8) ? unescaped(expression) : expression;
}
