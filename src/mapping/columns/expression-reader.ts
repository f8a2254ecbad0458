import type { ChangeHeader, Expression, ExpressionInput } from "../../core/plan.ts";
import { displayTable, type TableId, type TableSchema } from "../../core/schema.ts";

/** DMS's names of what comes with a change, and where it comes from here. */
const HEADERS: ReadonlyMap<string, ChangeHeader> = new Map([
  ["AR_H_OPERATION", "operation"],
  ["AR_H_STREAM_POSITION", "stream-position"],
  ["AR_H_TIMESTAMP", "timestamp"],
  ["AR_H_COMMIT_TIMESTAMP", "commit-timestamp"],
  ["AR_H_USER", "user"],
  ["AR_H_CHANGE_SEQ", "change-seq"],
]);

/** DMS's names of what a table is called on the source. */
const TABLE_NAMES: ReadonlyMap<string, (id: TableId) => string> = new Map([
  ["AR_M_SOURCE_SCHEMA", ({ schema }) => schema],
  ["AR_M_SOURCE_TABLE_NAME", ({ name }) => name],
]);

/** What a `$` may name beside columns. */
export const variableNames: readonly string[] = [...HEADERS.keys(), ...TABLE_NAMES.keys()];

export const BEFORE_IMAGE = "BI__";
export const INDICATOR = "operation_indicator";

/** SQLite's tokens as far as they matter: what may hold a `$` or a parenthesis without meaning it. */
const TOKEN =
  /(?<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])|(?<comment>--[^\n]*|\/\*.*?(?:\*\/|$))|(?<reference>\$[\p{L}\p{N}_]*)|(?<word>[\p{L}_][\p{L}\p{N}_$]*)|(?<space>\s+)|(?<other>.)/gsu;

interface Token {
  readonly kind: "quoted" | "comment" | "reference" | "word" | "space" | "other";
  readonly text: string;
}

/** Why an expression cannot be read: a sentence. */
export class ExpressionFault extends Error {}

/**
 * An expression of a rule about a table: SQL of SQLite, in which `$name` stands for a value of the row. Throws an
 * ExpressionFault for what is no single expression, or refers to what the table has not. Whether the rest is SQL, only
 * SQLite can tell.
 */
export function readExpression(text: string, table: TableSchema): Expression {
  const tokens = [...text.matchAll(TOKEN)].map(tokenOf);
  checkWhole(tokens);
  return { ...new ExpressionReader(table).read(tokens), text };
}

function tokenOf({ 0: text, groups }: RegExpMatchArray): Token {
  const kinds = ["quoted", "comment", "reference", "word", "space"] as const;
  return { kind: kinds.find((kind) => groups![kind] !== undefined) ?? "other", text };
}

/** One expression that ends where its text does: no parenthesis closes what stands around it. */
function checkWhole(tokens: readonly Token[]): void {
  let depth = 0;
  for (const { kind, text } of tokens) {
    if (kind !== "other") continue;
    if (text === "(") depth++;
    if (text === ")" && --depth < 0)
      throw new ExpressionFault("A parenthesis is closed that was not opened.");
    if (text === "," && depth === 0) throw new ExpressionFault("There is more than one expression.");
    if (text === ";") throw new ExpressionFault("A semicolon is no part of an expression.");
    if (/['"`[]/.test(text)) throw new ExpressionFault(`A text or name that ${text} begins does not end.`);
    if (/[?:@#]/.test(text))
      throw new ExpressionFault(`${text} is no part of an expression; values are named by $.`);
  }
  if (depth > 0) throw new ExpressionFault("A parenthesis is not closed.");
  if (tokens.every(({ kind }) => kind === "space" || kind === "comment")) {
    throw new ExpressionFault("The expression is empty.");
  }
}

class ExpressionReader {
  readonly #table: TableSchema;
  readonly #inputs: ExpressionInput[] = [];
  readonly #places = new Map<string, number>();

  constructor(table: TableSchema) {
    this.#table = table;
  }

  read(tokens: readonly Token[]): Expression {
    return { sql: this.#sql(tokens), inputs: this.#inputs };
  }

  #sql(tokens: readonly Token[]): string {
    let sql = "";
    for (let i = 0; i < tokens.length; i++) {
      const { kind, text } = tokens[i]!;
      if (kind === "comment") sql += " ";
      else if (kind === "reference") sql += this.#parameter(text.slice(1));
      else if (kind === "word" && text.toLowerCase() === INDICATOR) {
        const call = callAt(tokens, i + 1);
        sql += this.#indicator(call.values);
        i = call.end;
      } else sql += text;
    }
    return sql.trim();
  }

  /** The letter of a row's change in the user's words: for a delete, an update, an insert. */
  #indicator(values: readonly (readonly Token[])[]): string {
    if (values.length !== 3) {
      throw new ExpressionFault(`${INDICATOR} takes three values: for deletes, updates and inserts.`);
    }
    const letter = this.#place({ kind: "header", name: "operation-letter" });
    const [deleted, updated, inserted] = values.map((value) => this.#sql(value));
    return `case ${letter} when 'D' then ${deleted} when 'U' then ${updated} else ${inserted} end`;
  }

  #parameter(name: string): string {
    if (name === "") throw new ExpressionFault("$ stands without a name behind it.");
    const ordinal = this.#ordinalOf(name);
    if (ordinal >= 0) return this.#place({ kind: "column", ordinal });
    const before = name.startsWith(BEFORE_IMAGE) ? this.#ordinalOf(name.slice(BEFORE_IMAGE.length)) : -1;
    if (before >= 0) return this.#place({ kind: "before", ordinal: before });
    const header = HEADERS.get(name);
    if (header !== undefined) return this.#place({ kind: "header", name: header });
    const { id } = this.#table;
    const named = TABLE_NAMES.get(name);
    if (named !== undefined) return this.#place({ kind: "constant", value: named(id) });
    if (/^AR_M_SOURCE_COLUMN_(?:NAME|DATATYPE)$/.test(name)) {
      throw new ExpressionFault(`$${name} is about a column of the source, and an added column is none.`);
    }
    throw new ExpressionFault(`${displayTable(id)} has no column ${name} that $${name} could stand for.`);
  }

  #ordinalOf(name: string): number {
    return this.#table.columns.findIndex((column) => column.name === name);
  }

  /** The parameter of an input, which is passed once however often it is named. */
  #place(input: ExpressionInput): string {
    const key = JSON.stringify(input);
    let place = this.#places.get(key);
    if (place === undefined) {
      place = this.#inputs.push(input);
      this.#places.set(key, place);
    }
    return `?${place}`;
  }
}

/** The values of a call whose parenthesis comes next, and the place of the one that ends it. */
function callAt(
  tokens: readonly Token[],
  from: number,
): { readonly values: readonly (readonly Token[])[]; readonly end: number } {
  let at = from;
  while (tokens[at]?.kind === "space" || tokens[at]?.kind === "comment") at++;
  if (tokens[at]?.text !== "(") throw new ExpressionFault(`${INDICATOR} needs its values in parentheses.`);
  const values: Token[][] = [[]];
  let depth = 0;
  for (; at < tokens.length; at++) {
    const token = tokens[at]!;
    const mark = token.kind === "other" ? token.text : "";
    if (mark === "(" && depth++ === 0) continue;
    if (mark === ")" && --depth === 0) break;
    if (mark === "," && depth === 1) values.push([]);
    else values.at(-1)!.push(token);
  }
  return {
    values: values.filter((value) => value.some(({ kind }) => kind !== "space" && kind !== "comment")),
    end: at,
  };
}
