import type { Client } from "../connection/client.ts";
import type { OfTable } from "./catalog-query.ts";
import { qualified } from "./identifier.ts";

export interface ActionRow extends OfTable {
  readonly name: string;
  readonly onUpdate: string;
  readonly onDelete: string;
}

const NAME = "`(?:[^`]|``)+`";
const NAMES = `\\(${NAME}(?:, ?${NAME})*\\)`;
const ACTION = "(?: ON (?:DELETE|UPDATE) (?:CASCADE|SET NULL|SET DEFAULT|RESTRICT|NO ACTION))*";
/** Texts in quotes, such as comments, and other names are matched so that what they hold is passed over. */
const PARTS = new RegExp(
  `'(?:[^'\\\\]|''|\\\\.)*'|CONSTRAINT (${NAME}) FOREIGN KEY (?:${NAME} )?${NAMES} REFERENCES ${NAME}(?:\\.${NAME})? ${NAMES}(${ACTION})|${NAME}`,
  "gs",
);

/**
 * What foreign keys do by themselves, by SHOW CREATE TABLE: MariaDB shows it in information_schema to nobody who may only read
 * a table.
 */
export async function shownActions(
  client: Client,
  { schema, table }: OfTable,
): Promise<readonly ActionRow[]> {
  const [row] = await client.query<Readonly<Record<string, string>>>(
    `show create table ${qualified({ schema, name: table })}`,
  );
  return actionsIn(row?.["Create Table"] ?? "").map((action) => ({ schema, table, ...action }));
}

/** Of each foreign key in a statement as the server writes it. */
export function actionsIn(sql: string): readonly Omit<ActionRow, keyof OfTable>[] {
  return [...sql.matchAll(PARTS)].flatMap(([, quoted, actions = ""]) => {
    if (quoted === undefined) return [];
    const of = (what: string): string =>
      new RegExp(`ON ${what} (CASCADE|SET \\w+|RESTRICT|NO ACTION)`).exec(actions)?.[1] ?? "RESTRICT";
    const name = quoted.slice(1, -1).replaceAll("``", "`");
    return [{ name, onUpdate: of("UPDATE"), onDelete: of("DELETE") }];
  });
}
