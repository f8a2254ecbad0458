import type { Column, Index } from "../../../core/schema.ts";
import { identifier } from "../../shared/identifier.ts";
import { unquotedName } from "./convert-literal.ts";
import { isShape } from "./convert-type.ts";

/** One column of an index. */
interface Part {
  readonly column: string;
  /** Characters, or bytes, that it holds of the value; all when undefined. */
  readonly prefix: number | undefined;
  readonly descending: boolean;
}

export interface IndexRequest {
  readonly index: Index;
  /** The target's columns by the source's names. */
  readonly columns: ReadonlyMap<string, Column>;
}

const PART = /^(`(?:[^`]|``)+`|"(?:[^"]|"")+"|[^\s()`"]+)(?:\s*\((\d+)\))?(?:\s+(asc|desc))?$/is;
const OTHER_KIND = /\b(?:fulltext|vector)\b/i;
const SPATIAL = /^\s*spatial\b/i;

/**
 * The index in PostgreSQL's words; undefined for one that PostgreSQL has not: over an expression, of words, of shapes
 * that are bytes there. Those of PostGIS have an index of space alone.
 * An index of a value's beginning becomes one of an expression that is the same for the same rows.
 */
export function convertIndex({ index, columns }: IndexRequest): Omit<Index, "name"> | undefined {
  const parts = partsOf(index);
  if (parts === undefined || parts.length === 0) return undefined;
  const texts = parts.map((part) => partSql(part, columns));
  if (texts.some((text) => text === undefined)) return undefined;
  const isSpatial = SPATIAL.test(index.native);
  if (isSpatial !== parts.some(({ column }) => isShape(columns.get(column)!))) return undefined;
  const { name: _name, native: _native, columns: _columns, constraint, ...same } = index;
  const isWhole = parts.every(({ prefix }) => prefix === undefined);
  const isConstraint = isWhole && (constraint === "primary-key" || constraint === "unique");
  const list = isConstraint ? names(parts, columns).map(identifier) : texts;
  const word = constraint === "primary-key" ? "primary key" : "unique";
  return {
    ...same,
    columns: isWhole ? names(parts, columns) : undefined,
    constraint: isConstraint ? constraint : undefined,
    native: `${isConstraint ? word : `using ${isSpatial ? "gist" : "btree"}`} (${list.join(", ")})`,
  };
}

function names(parts: readonly Part[], columns: IndexRequest["columns"]): string[] {
  return parts.map(({ column }) => columns.get(column)!.name);
}

function partSql({ column, prefix, descending }: Part, columns: IndexRequest["columns"]): string | undefined {
  const target = columns.get(column);
  if (target === undefined) return undefined;
  const name = identifier(target.name);
  const isBytes = target.nativeType === "bytea";
  const beginning = isBytes ? `substring(${name} from 1 for ${prefix})` : `left(${name}, ${prefix})`;
  return `${prefix === undefined ? name : beginning}${descending ? " desc" : ""}`;
}

/** What CREATE INDEX lists, as the source writes it; undefined when something else than columns is in it. */
function partsOf({ native, columns }: Index): readonly Part[] | undefined {
  const open = native.indexOf("(");
  const rest = open === -1 ? "" : native.slice(open);
  const items = open === -1 ? undefined : listed(rest);
  if (items === undefined)
    return columns?.map((column) => ({ column, prefix: undefined, descending: false }));
  const around = native.slice(0, open) + rest.slice(items.end);
  if (OTHER_KIND.test(around)) return undefined;
  const parts = items.texts.map((text) => PART.exec(text));
  if (parts.some((part) => part === null)) return undefined;
  return parts.map((part) => ({
    column: unquotedName(part![1]!),
    prefix: part![2] === undefined ? undefined : Number(part![2]),
    descending: part![3]?.toLowerCase() === "desc",
  }));
}

/** The items of a list in parentheses, and where it ends; commas in quotes and in inner parentheses part nothing. */
function listed(text: string): { readonly texts: readonly string[]; readonly end: number } | undefined {
  const texts: string[] = [];
  let depth = 0;
  let quote: string | undefined;
  let from = 1;
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (quote !== undefined) {
      if (character === quote) quote = undefined;
    } else if (character === "`" || character === '"' || character === "'") quote = character;
    else if (character === "(") depth++;
    else if (character === ")" && --depth === 0) {
      texts.push(text.slice(from, at).trim());
      return { texts, end: at + 1 };
    } else if (character === "," && depth === 1) {
      texts.push(text.slice(from, at).trim());
      from = at + 1;
    }
  }
  return undefined;
}
