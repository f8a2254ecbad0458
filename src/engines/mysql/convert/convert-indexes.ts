import type { TablePlan } from "../../../core/plan.ts";
import type { Index } from "../../../core/schema.ts";
import type { ConvertNotes } from "../../shared/convert/convert-notes.ts";
import { identifier } from "../catalog/identifier.ts";
import { atLeast, type ServerFacts } from "../connection/server-facts.ts";
import { convertExpression, type ExpressionContext } from "./convert-expression.ts";
import { isTooLong, prefixLengths } from "./convert-keys.ts";
import type { MysqlType } from "./convert-type.ts";

export interface IndexContext {
  readonly types: ReadonlyMap<string, MysqlType>;
  readonly notes: ConvertNotes;
  readonly facts: ServerFacts;
  readonly expressions: ExpressionContext;
}

/** The indexes of a table of PostgreSQL that have an equal here. Columns go by the target's names on both sides. */
export function convertIndexes({ source, target }: TablePlan, context: IndexContext): readonly Index[] {
  const { types, notes } = context;
  const used = new Set<string>();
  return target.indexes.flatMap((index) => {
    const made =
      index.columns === undefined ? ofExpressions(index, context) : convertIndex(index, index.columns, types);
    if (made.problem !== undefined) {
      const severity = index.unique || index.constraint !== undefined ? "warning" : "info";
      notes.about(source, "convert.index", `The index ${index.name} ${made.problem}.`, severity);
    }
    return made.index === undefined ? [] : { ...made.index, name: freeName(made.index, used) };
  });
}

interface Made {
  readonly index: Index | undefined;
  /** What follows "The index x". */
  readonly problem: string | undefined;
}

const left = (problem: string): Made => ({ index: undefined, problem: `${problem} and is left out` });

/** MySQL has them from 8.0.13 on, of what is no text: a text would be cut, or have no length. */
function ofExpressions(index: Index, { facts, expressions }: IndexContext): Made {
  const { method, condition, list } = parseIndex(index.native);
  const isKnown = facts.flavour === "mysql" && atLeast(facts, 8, 0, 13) && index.constraint === undefined;
  if (!isKnown || method !== "btree" || condition || /\binclude\b|nulls not/i.test(index.native)) {
    return left("is over an expression");
  }
  const parts = (list ?? []).map((part) => {
    const [, expression, descending = ""] = /^\s*(.*?)(\s+desc)?(?:\s+nulls (?:first|last))?$/is.exec(part)!;
    const value = convertExpression(expression!, expressions);
    const isShort = value !== undefined && !["text", "enum", "other"].includes(value.kind);
    if (!isShort) return undefined;
    // A column by itself is no expression to the server.
    const own = value.sql.startsWith("`") ? value.sql : `(${value.sql})`;
    return own + descending.toLowerCase();
  });
  if (parts.includes(undefined)) return left("is over an expression");
  const { comment: _comment, ...rest } = index;
  return { index: { ...rest, native: `(${parts.join(", ")})` }, problem: undefined };
}

function convertIndex(index: Index, columns: readonly string[], types: ReadonlyMap<string, MysqlType>): Made {
  const { constraint, unique } = index;
  if (constraint === "exclusion") return left("excludes what is not equal, too,");
  const { method, condition, list } = parseIndex(index.native);
  if (method !== "btree" && method !== "hash") return left(`is of the kind ${method}`);
  const isWhole = constraint !== undefined || unique;
  if (condition && isWhole) return left("is unique for some rows only");
  if (columns.length === 0) return left("has no columns");
  if (isWhole && isTooLong(columns, types)) return left("is longer than a key may be here");
  const descending = list?.length === columns.length ? list.map((part) => /\bdesc\b/i.test(part)) : [];
  const lengths: ReadonlyMap<string, number> = isWhole ? new Map() : prefixLengths(columns, types);
  const parts = columns.map((name, i) => {
    const length = lengths.get(name);
    return `${identifier(name)}${length === undefined ? "" : `(${length})`}${descending[i] === true ? " desc" : ""}`;
  });
  const named = `(${parts.join(", ")})`;
  const isTotal = condition ? "is one of all rows here" : undefined;
  const nulls = /nulls not distinct/i.test(index.native) ? "lets several rows be NULL here" : undefined;
  const word = constraint === undefined ? "" : constraint === "primary-key" ? "primary key " : "unique ";
  const { comment, ...rest } = index;
  return {
    index: {
      ...rest,
      ...(constraint === undefined && comment !== undefined ? { comment } : {}),
      native: `${word}${named}`,
      columns,
    },
    problem: isTotal ?? nulls ?? (lengths.size > 0 ? "holds the beginning of its texts" : undefined),
  };
}

interface IndexText {
  readonly method: string;
  /** It is about some rows only. */
  readonly condition: boolean;
  readonly list: readonly string[] | undefined;
}

/** `USING btree (a, b DESC) INCLUDE (c) WHERE (d > 0)`; of a constraint `UNIQUE (a)`. */
function parseIndex(native: string): IndexText {
  const method = /^using\s+(\w+)/i.exec(native)?.[1]?.toLowerCase() ?? "btree";
  const open = native.indexOf("(");
  let depth = 0;
  let start = open + 1;
  const list: string[] = [];
  for (let at = open; at >= 0 && at < native.length; at++) {
    const character = native[at];
    if (character === "(") depth++;
    else if (character === ")") depth--;
    if ((character === "," && depth === 1) || depth === 0) {
      list.push(native.slice(start, at));
      start = at + 1;
    }
    if (depth === 0) break;
  }
  return { method, condition: /\)\s*(?:with\s*\([^)]*\)\s*)?where\b/i.test(native), list };
}

/** Only the primary key may have its name, and names differ in more than case. */
function freeName({ name, constraint }: Index, used: Set<string>): string {
  if (constraint === "primary-key") return "PRIMARY";
  let free = name.trimEnd();
  for (let i = 2; used.has(free.toLowerCase()) || /^primary$/i.test(free); i++)
    free = `${name.trimEnd()}_${i}`;
  used.add(free.toLowerCase());
  return free;
}
