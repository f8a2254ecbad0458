import type {
  Check,
  Column,
  ForeignKey,
  Index,
  Sequence,
  TableSchema,
  UserType,
} from "../../../core/schema.ts";
import { identifier, literal, qualified } from "../../shared/identifier.ts";

/**
 * Statements from schema objects. Those that carry native texts name objects relative to the schema of
 * the object they create: runNative() sets the search path for them.
 */
export function createSchema(schema: { readonly name: string; readonly comment?: string }): string[] {
  const name = identifier(schema.name);
  return [`create schema if not exists ${name}`, ...comment(`schema ${name}`, schema.comment)];
}

export function createType(type: UserType): string[] {
  const name = qualified(type.id);
  const remark = comment(`${type.kind === "domain" ? "domain" : "type"} ${name}`, type.comment);
  return [`create ${typeDefinition(type, name)}`, ...remark];
}

function typeDefinition(type: UserType, name: string): string {
  switch (type.kind) {
    case "domain":
      return `domain ${name} as ${type.native}`;
    case "enum":
      return `type ${name} as enum (${type.labels.map(literal).join(", ")})`;
    case "composite":
      return `type ${name} as ${type.native}`;
    case "range":
      return `type ${name} as range ${type.native}`;
  }
}

export function createSequence(sequence: Sequence): string {
  return `create sequence ${qualified(sequence.id)} ${sequence.native}`;
}

/** Gives a sequence that is there the definition of the plan's, and starts it again. */
export function redefineSequence(sequence: Sequence): string {
  return `alter sequence ${qualified(sequence.id)} ${sequence.native} restart`;
}

export interface CreateTableOptions {
  /** Sequences of the table's identity columns; a column without one gets the server's defaults. */
  readonly sequences: readonly Sequence[];
  /** How a sequence is named; with its schema when left out. */
  readonly named?: (sequence: Sequence) => string;
  /** Whether the server has virtual generated columns (PostgreSQL 18); else they become stored ones. */
  readonly virtualColumns: boolean;
}

/** The table with all that rows must satisfy from the first one on; keys, indexes and the like come later. */
export function createTable(table: TableSchema, options: CreateTableOptions): string[] {
  const name = qualified(table.id);
  const parts = [
    ...table.columns.map((column) => columnDefinition(column, options)),
    ...table.checks.filter((check) => check.validated).map(checkDefinition),
  ];
  return [
    `create table ${name} (\n  ${parts.join(",\n  ")}\n)`,
    ...comment(`table ${name}`, table.comment),
    ...table.columns.flatMap((column) =>
      comment(`column ${name}.${identifier(column.name)}`, column.comment),
    ),
    ...table.checks
      .filter((check) => check.validated)
      .flatMap((check) => constraintComment(table, check.name, check.comment)),
  ];
}

export function columnDefinition(column: Column, options: CreateTableOptions): string {
  let text = `${identifier(column.name)} ${column.nativeType}`;
  if (column.collation !== undefined) text += ` collate ${column.collation}`;
  if (column.generated !== undefined) {
    const virtual = column.virtual === true && options.virtualColumns;
    text += ` generated always as (${column.generated}) ${virtual ? "virtual" : "stored"}`;
  } else if (column.identity !== undefined) {
    text += ` generated ${column.identity === "always" ? "always" : "by default"} as identity`;
    const sequence = options.sequences.find(({ ownedBy }) => ownedBy?.column === column.name);
    if (sequence !== undefined) {
      const name = options.named?.(sequence) ?? qualified(sequence.id);
      text += ` (sequence name ${name} ${sequence.native})`;
    }
  } else if (column.default !== undefined) {
    text += ` default ${column.default}`;
  }
  return column.nullable ? text : `${text} not null`;
}

/**
 * The column on a table that has rows, which show the value it had for them on the source. NOT NULL is left
 * out where that is none: the source's rows were given values one by one, and so will be the target's.
 */
export function addColumn(
  table: Pick<TableSchema, "id">,
  column: Column,
  options: CreateTableOptions,
): string[] {
  const alter = `alter table ${qualified(table.id)}`;
  const value = column.later?.value ?? null;
  const name = identifier(column.name);
  const { default: own, ...bare } = column;
  const filled = value === null ? { ...bare, nullable: true } : { ...bare, default: literal(value) };
  const isComputed = column.generated !== undefined;
  return [
    `${alter} add column ${columnDefinition(isComputed ? column : filled, options)}`,
    ...(isComputed
      ? []
      : [`${alter} alter column ${name} ${own === undefined ? "drop" : "set"} default ${own ?? ""}`]),
    ...comment(`column ${qualified(table.id)}.${name}`, column.comment),
  ];
}

function checkDefinition(check: Check): string {
  return `constraint ${identifier(check.name)} ${check.native}`;
}

export function createIndex(table: TableSchema, index: Index): string[] {
  const name = identifier(index.name);
  const { schema } = table.id;
  if (index.constraint !== undefined) {
    return [
      `alter table ${qualified(table.id)} add constraint ${name} ${index.native}`,
      ...constraintComment(table, index.name, index.comment),
    ];
  }
  return [
    `create ${index.unique ? "unique " : ""}index ${name} on ${qualified(table.id)} ${index.native}`,
    ...comment(`index ${qualified({ schema, name: index.name })}`, index.comment),
  ];
}

/** Rows that are there are not looked at: validateConstraint does that under a weaker lock. */
export function addForeignKey(table: TableSchema, key: ForeignKey): string[] {
  const validity = isEnforced(key) ? " not valid" : "";
  return [
    `alter table ${qualified(table.id)} add constraint ${identifier(key.name)} foreign key (${columnList(key.columns, key)})` +
      ` references ${qualified(key.references)} (${columnList(key.referencedColumns, key)}) ${key.native}${validity}`,
    ...constraintComment(table, key.name, key.comment),
  ];
}

/** PostgreSQL 18: one that is not has nothing to validate and may not be called NOT VALID. */
export function isEnforced(key: ForeignKey): boolean {
  return !key.native.endsWith("NOT ENFORCED");
}

function columnList(columns: readonly string[], key: ForeignKey): string {
  return columns
    .map((name, i) => {
      return key.period === true && i === columns.length - 1
        ? `period ${identifier(name)}`
        : identifier(name);
    })
    .join(", ");
}

/** For a check that the rows of the source may violate. */
export function addUnvalidatedCheck(table: TableSchema, check: Check): string[] {
  return [
    `alter table ${qualified(table.id)} add ${checkDefinition(check)} not valid`,
    ...constraintComment(table, check.name, check.comment),
  ];
}

export function validateConstraint(table: TableSchema, name: string): string {
  return `alter table ${qualified(table.id)} validate constraint ${identifier(name)}`;
}

function constraintComment(table: TableSchema, name: string, text: string | undefined): string[] {
  return comment(`constraint ${identifier(name)} on ${qualified(table.id)}`, text);
}

function comment(object: string, text: string | undefined): string[] {
  return text === undefined ? [] : [`comment on ${object} is ${literal(text)}`];
}
