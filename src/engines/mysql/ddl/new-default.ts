import type { Column } from "../../../core/schema.ts";
import { columnDefault } from "../catalog/default-text.ts";
import { shownDefault } from "./column-default.ts";
import { type DefaultText, UnreadDefinition } from "./column-text.ts";
import type { DefinitionContext } from "./defined-column.ts";

const ON_UPDATE = /^(?:(.*) )?(ON UPDATE current_timestamp(?:\(\d*\))?)$/i;

/** The column with another default, or none, and what an update sets it to as before. */
export function newDefault(
  column: Column,
  value: DefaultText | undefined,
  { facts }: Pick<DefinitionContext, "facts">,
): Column {
  const { default: old, ...bare } = column;
  const onUpdate = ON_UPDATE.exec(old ?? "")?.[2];
  // MySQL keeps it, MariaDB does not in each case.
  if (onUpdate !== undefined && facts.flavour === "mariadb") throw new UnreadDefinition();
  const parts = {
    ...{ columnType: column.nativeType, nullable: true, value, autoIncrement: false },
    updatesWithPrecision: undefined,
  };
  const found = columnDefault(shownDefault(parts, facts), column.type, facts);
  const native = found.kind === "none" ? undefined : found.native;
  if (onUpdate === undefined) return native === undefined ? bare : { ...bare, default: native };
  const before = native ?? (column.nullable ? "NULL" : "");
  return { ...bare, default: `${before} ${onUpdate}`.trimStart() };
}
