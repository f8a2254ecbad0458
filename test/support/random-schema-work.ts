import { Random } from "../../soak/random.ts";

/** Types in turn: each holds what the one before it does. */
const TYPES = {
  number: ["tinyint", "smallint", "int", "bigint"],
  decimal: ["decimal(4,1)", "decimal(6,2)", "decimal(9,3)"],
  text: ["varchar(12)", "varchar(40)", "varchar(90)", "text"],
  bytes: ["varbinary(8)", "varbinary(30)", "blob"],
  label: ["enum('a','b')", "enum('a','b','c')", "enum('a','b','c','d d')"],
  time: ["datetime", "datetime(3)", "datetime(6)"],
} as const;

type Kind = keyof typeof TYPES;

/** Every type of the kind takes these. */
const VALUES: Record<Kind, readonly string[]> = {
  number: ["0", "-128", "127", "5"],
  decimal: ["0", "-999.9", "12.5", "0.1"],
  text: ["''", "'ß❤'", "'a\\\\b\\'c'", "'twelve chars'", "' '"],
  bytes: ["''", "x'00ff7f80'", "'bytes'"],
  label: ["'a'", "'b'"],
  time: ["'2020-02-29 23:59:59'", "'1999-12-31 00:00:00.123456'"],
};

/** A default with more digits than its column has is not read, and the table compared with the catalog. */
const DEFAULTS: typeof VALUES = { ...VALUES, time: VALUES.time.slice(0, 1) };

const KINDS = Object.keys(TYPES) as readonly Kind[];

interface RandomColumn {
  name: string;
  readonly kind: Kind;
  width: number;
  readonly nullable: boolean;
  hasDefault: boolean;
  /** A row has to have a value for it. */
  isRequired: boolean;
}

interface RandomIndex {
  readonly name: string;
  readonly column: RandomColumn;
}

interface RandomTable {
  name: string;
  readonly key: string;
  columns: readonly RandomColumn[];
  indexes: readonly RandomIndex[];
}

/** A part of ALTER TABLE. */
interface Clause {
  readonly sql: string;
  /** Columns and indexes that no other part of the statement may name. */
  readonly names: readonly (string | undefined)[];
}

const MOST_COLUMNS = 9;

/** Statements that write to tables and alter them, at random and the same for the same seed; each succeeds after all before it. */
export class RandomSchemaWork {
  readonly #random: Random;
  readonly #tables: RandomTable[] = [];
  #names = 0;
  #ids = 0;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  /** What the tables are called after all statements so far. */
  get tables(): readonly string[] {
    return this.#tables.map(({ name }) => name);
  }

  /** Makes tables, each with rows. */
  begin(tables: number): string {
    const made = Array.from({ length: tables }, () => this.#create());
    return [...made, ...this.#writes(4 * tables)].join("; ");
  }

  /** Writes, and a statement that alters something, between writes. */
  step(): string {
    return [...this.#writes(4), this.#change(), ...this.#writes(4)].join("; ");
  }

  #writes(count: number): readonly string[] {
    return Array.from({ length: count }, () => this.#write());
  }

  #write(): string {
    const table = this.#random.pick(this.#tables);
    const { name, key, columns } = table;
    const id = 1 + Math.floor(this.#random.next() * this.#ids);
    const given = columns.filter(({ isRequired }) => isRequired || this.#random.next() < 0.6);
    const kind = this.#random.pick(["insert", "insert", "update", "update", "delete"]);
    if (kind === "delete") return `delete from ${name} where ${key} = ${id}`;
    if (kind === "update" && given.length > 0) {
      const set = given.map((column) => `${column.name} = ${this.#value(column)}`);
      return `update ${name} set ${set.join(", ")} where ${key} % 3 = ${id % 3}`;
    }
    const names = [key, ...given.map((column) => column.name)];
    const values = [++this.#ids, ...given.map((column) => this.#value(column))];
    return `insert into ${name} (${names.join(", ")}) values (${values.join(", ")})`;
  }

  #value({ kind, nullable }: RandomColumn): string {
    return nullable && this.#random.next() < 0.2 ? "null" : this.#random.pick(VALUES[kind]);
  }

  #change(): string {
    const table = this.#random.pick(this.#tables);
    if (this.#random.next() < 0.3) return this.#ofTable(table);
    const free = { columns: table.columns, indexes: table.indexes };
    const first = this.#clause(table, free);
    if (this.#random.next() < 0.7) return `alter table ${table.name} ${first.sql}`;
    // Parts of one statement see the table as it was, each.
    const isFree = ({ name }: { readonly name: string }): boolean => !first.names.includes(name);
    const left = { columns: free.columns.filter(isFree), indexes: free.indexes.filter(isFree) };
    const columns = left.columns.filter((column) => table.columns.includes(column));
    const indexes = left.indexes.filter((index) => table.indexes.includes(index));
    return `alter table ${table.name} ${first.sql}, ${this.#clause(table, { columns, indexes }).sql}`;
  }

  #ofTable(table: RandomTable): string {
    const { name } = table;
    const kinds = ["rename", "rotate", "create", "truncate", ...(this.#tables.length > 2 ? ["drop"] : [])];
    switch (this.#random.pick(kinds)) {
      case "rename":
        table.name = this.#name("t");
        return this.#random.pick([
          `rename table ${name} to ${table.name}`,
          `alter table ${name} rename ${table.name}`,
        ]);
      case "rotate": {
        const copies = new Map(table.columns.map((column) => [column, { ...column }]));
        const indexes = table.indexes.map((index) => ({ ...index, column: copies.get(index.column)! }));
        this.#tables.push({ ...table, columns: [...copies.values()], indexes });
        table.name = this.#name("t");
        return `rename table ${name} to ${table.name}; create table ${name} like ${table.name}`;
      }
      case "create":
        return this.#create();
      case "truncate":
        return `truncate table ${name}`;
      default:
        this.#tables.splice(this.#tables.indexOf(table), 1);
        return `drop table ${name}`;
    }
  }

  #create(): string {
    const columns = KINDS.map((kind) => this.#column(kind));
    const table: RandomTable = { name: this.#name("t"), key: this.#name("id"), columns, indexes: [] };
    this.#tables.push(table);
    const definitions = columns.map((column) => this.#definition(column));
    return `create table ${table.name} (${table.key} int primary key, ${definitions.join(", ")})`;
  }

  #column(kind: Kind): RandomColumn {
    const width = Math.floor(this.#random.next() * (TYPES[kind].length - 1));
    const nullable = this.#random.next() < 0.6;
    const hasDefault = this.#random.next() < 0.5;
    return { ...{ name: this.#name("c"), kind, width, nullable, hasDefault }, isRequired: false };
  }

  /** With a new value as the default, if it has one. */
  #definition(column: RandomColumn): string {
    const { name, kind, width, nullable } = column;
    column.hasDefault &&= mayHaveDefault(column);
    column.isRequired = !nullable && !column.hasDefault;
    const value = column.hasDefault ? ` default ${this.#random.pick(DEFAULTS[kind])}` : "";
    return `${name} ${TYPES[kind][width]}${nullable ? "" : " not null"}${value}`;
  }

  /** `free`: what it may name. */
  #clause(table: RandomTable, free: Pick<RandomTable, "columns" | "indexes">): Clause {
    const { columns, indexes } = free;
    const kinds = columns.length > 0 ? ["drop", "change", "retype", "retype", "default", "index"] : ["add"];
    if (table.columns.length < MOST_COLUMNS) kinds.push("add", "add");
    if (indexes.length > 0) kinds.push("drop index");
    const kind = this.#random.pick(kinds);
    if (kind === "drop index") {
      const { name, column } = this.#random.pick(indexes);
      table.indexes = table.indexes.filter((index) => index.name !== name);
      return { sql: `drop index ${name}`, names: [name, column.name] };
    }
    if (kind !== "add") return this.#ofColumn(kind, table, free);
    const added = this.#column(this.#random.pick(KINDS));
    // Of a strict mode: what rows get that are there stands in the statement.
    added.hasDefault ||= !added.nullable;
    const place = this.#place(columns);
    const sql = `add column ${this.#definition(added)}${place.sql}`;
    table.columns = [...table.columns, added];
    return { sql, names: [added.name, ...place.names] };
  }

  #ofColumn(kind: string, table: RandomTable, free: Pick<RandomTable, "columns">): Clause {
    const column = this.#random.pick(free.columns);
    const { name } = column;
    switch (kind) {
      case "drop":
        table.columns = table.columns.filter((one) => one !== column);
        table.indexes = table.indexes.filter((index) => index.column !== column);
        return { sql: `drop column ${name}`, names: [name] };
      case "default": {
        column.hasDefault = mayHaveDefault(column) && this.#random.next() < 0.5;
        // Without one, also one that takes NULLs.
        column.isRequired = !column.hasDefault;
        const end = column.hasDefault
          ? `set default ${this.#random.pick(DEFAULTS[column.kind])}`
          : "drop default";
        return { sql: `alter ${name} ${end}`, names: [name] };
      }
      case "index": {
        const index = { name: this.#name("i"), column };
        table.indexes = [...table.indexes, index];
        const isLong = column.kind === "text" || column.kind === "bytes";
        return {
          sql: `add index ${index.name} (${name}${isLong ? "(6)" : ""})`,
          names: [index.name, name],
        };
      }
      default: {
        if (kind === "change") column.name = this.#name("c");
        else column.width = Math.min(column.width + 1, TYPES[column.kind].length - 1);
        const place = this.#place(free.columns.filter((one) => one !== column));
        const verb = kind === "change" ? `change ${name}` : "modify";
        const sql = `${verb} ${this.#definition(column)}${place.sql}`;
        return { sql, names: [name, column.name, ...place.names] };
      }
    }
  }

  #place(columns: readonly RandomColumn[]): Clause {
    const place = this.#random.next();
    if (place < 0.2) return { sql: " first", names: [] };
    if (place > 0.5 || columns.length === 0) return { sql: "", names: [] };
    const { name } = this.#random.pick(columns);
    return { sql: ` after ${name}`, names: [name] };
  }

  /** A new one. */
  #name(beginning: string): string {
    return `${beginning}${++this.#names}`;
  }
}

/** Without a limit of their own texts have none on MySQL. */
function mayHaveDefault({ kind, width }: RandomColumn): boolean {
  return !["text", "blob"].includes(TYPES[kind][width]!);
}
