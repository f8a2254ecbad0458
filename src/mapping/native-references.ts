import { type Column, type TableId, type TableSchema, tableKey, type UserType } from "../core/schema.ts";

const NAME = String.raw`(?:"(?:[^"]|"")+"|[\p{L}_][\p{L}\p{N}_$]*)`;
/** A string literal, or a name with what it is qualified by. Whatever is not one of them is left alone. */
const TOKEN = new RegExp(String.raw`'(?:[^']|'')*'(?:::regclass)?|${NAME}(?:\.${NAME})?`, "gu");
const QUALIFIED = new RegExp(`^(${NAME})\\.(${NAME})$`, "u");
const PLAIN = new RegExp(`^${NAME}$`, "u");
const REGCLASS = "::regclass";

/**
 * Native texts name the types and sequences of their own schema without it, and those of another
 * schema with it: `shared.status`, `'shared.ids'::regclass`. Where that other schema gets a new name,
 * so must they, and so must a sequence that gets a new name itself. Only what is given here is touched.
 */
export class NativeReferences {
  /** Qualified target name by key of the source's, for what another schema's texts name differently now. */
  readonly #moved = new Map<string, string>();
  /** The same for what the texts of its own schema name differently too. */
  readonly #renamed = new Map<string, string>();

  constructor(objects: readonly { readonly source: TableId; readonly target: TableId }[]) {
    for (const { source, target } of objects) {
      if (tableKey(source) !== tableKey(target)) this.#moved.set(tableKey(source), qualify(target));
      if (source.name !== target.name) this.#renamed.set(tableKey(source), qualify(target));
    }
  }

  /** The target's table with the new names in its texts, which stand as in the schema `home` of the source. */
  rewriteTable(table: TableSchema, home: string): TableSchema {
    if (this.#moved.size === 0) return table;
    return {
      ...table,
      columns: table.columns.map((column) => this.#rewriteColumn(column, home)),
      indexes: table.indexes.map((index) => ({ ...index, native: this.rewrite(index.native, home) })),
      checks: table.checks.map((check) => ({ ...check, native: this.rewrite(check.native, home) })),
    };
  }

  rewriteType(type: UserType, home: string): UserType {
    return this.#moved.size === 0 ? type : { ...type, native: this.rewrite(type.native, home) };
  }

  /** A text of the source's schema `home` with the new names in it. */
  rewrite(native: string, home: string): string {
    return native.replace(TOKEN, (token) => {
      if (!token.startsWith("'")) return this.#moved.get(keyOf(token)) ?? token;
      if (!token.endsWith(REGCLASS)) return token;
      const named = token.slice(1, -REGCLASS.length - 1).replaceAll("''", "'");
      const target = this.#moved.get(keyOf(named)) ?? this.#renamed.get(keyOf(named, home));
      return target === undefined ? token : `'${target.replaceAll("'", "''")}'${REGCLASS}`;
    });
  }

  #rewriteColumn(column: Column, home: string): Column {
    return {
      ...column,
      nativeType: this.rewrite(column.nativeType, home),
      ...(column.default === undefined ? {} : { default: this.rewrite(column.default, home) }),
      ...(column.generated === undefined ? {} : { generated: this.rewrite(column.generated, home) }),
    };
  }
}

/** The key of a qualified name as SQL writes it, or of a plain one in `home`; "" for any other text. */
function keyOf(text: string, home?: string): string {
  const parts = QUALIFIED.exec(text);
  if (parts !== null) return tableKey({ schema: unquote(parts[1]!), name: unquote(parts[2]!) });
  return home !== undefined && PLAIN.test(text) ? tableKey({ schema: home, name: unquote(text) }) : "";
}

function unquote(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}

function qualify({ schema, name }: TableId): string {
  return [schema, name].map((part) => `"${part.replaceAll('"', '""')}"`).join(".");
}
