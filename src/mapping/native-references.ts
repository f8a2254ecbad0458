import {
  type Catalog,
  type Column,
  type TableId,
  type TableSchema,
  tableKey,
  type UserType,
} from "../core/schema.ts";
import type { TargetNames } from "./target-names.ts";

const NAME = String.raw`(?:"(?:[^"]|"")+"|[\p{L}_][\p{L}\p{N}_$]*)`;
/** A string literal, or a name with what it is qualified by. Whatever is not one of them is left alone. */
const TOKEN = new RegExp(String.raw`'(?:[^']|'')*'(?:::regclass)?|${NAME}(?:\.${NAME})?`, "gu");
const QUALIFIED = new RegExp(`^(${NAME})\\.(${NAME})$`, "u");
const REGCLASS = "::regclass";

/**
 * Native texts name the types and sequences of their own schema without it, and those of another
 * schema with it: `shared.status`, `'shared.ids'::regclass`. Where that other schema gets a new name,
 * so must they. Only names that the catalog holds are touched.
 */
export class NativeReferences {
  /** Qualified target name by key of the source's, for what moves. */
  readonly #moved = new Map<string, string>();

  constructor(catalog: Catalog, names: TargetNames) {
    for (const { id } of [...catalog.types, ...catalog.sequences]) {
      const target = names.withinSchema(id);
      if (target.schema !== id.schema) this.#moved.set(tableKey(id), qualify(target));
    }
  }

  rewriteTable(table: TableSchema): TableSchema {
    if (this.#moved.size === 0) return table;
    return {
      ...table,
      columns: table.columns.map((column) => this.#rewriteColumn(column)),
      indexes: table.indexes.map((index) => ({ ...index, native: this.rewrite(index.native) })),
      checks: table.checks.map((check) => ({ ...check, native: this.rewrite(check.native) })),
    };
  }

  rewriteType(type: UserType): UserType {
    return this.#moved.size === 0 ? type : { ...type, native: this.rewrite(type.native) };
  }

  /** A native text with the new names in it. */
  rewrite(native: string): string {
    return native.replace(TOKEN, (token) => {
      if (!token.startsWith("'")) return this.#moved.get(keyOf(token)) ?? token;
      if (!token.endsWith(REGCLASS)) return token;
      const quoted = token.slice(1, -REGCLASS.length - 1);
      const moved = this.#moved.get(keyOf(quoted.replaceAll("''", "'")));
      return moved === undefined ? token : `'${moved.replaceAll("'", "''")}'${REGCLASS}`;
    });
  }

  #rewriteColumn(column: Column): Column {
    return {
      ...column,
      nativeType: this.rewrite(column.nativeType),
      ...(column.default === undefined ? {} : { default: this.rewrite(column.default) }),
      ...(column.generated === undefined ? {} : { generated: this.rewrite(column.generated) }),
    };
  }
}

/** The key of a qualified name as SQL writes it; "" for any other text. */
function keyOf(text: string): string {
  const parts = QUALIFIED.exec(text);
  return parts === null ? "" : tableKey({ schema: unquote(parts[1]!), name: unquote(parts[2]!) });
}

function unquote(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}

function qualify({ schema, name }: TableId): string {
  return [schema, name].map((part) => `"${part.replaceAll('"', '""')}"`).join(".");
}
