import type { Column } from "../../../core/schema.ts";
import { literal } from "../../shared/identifier.ts";

/**
 * Name of the form in which a value travels in COPY's binary format: a built-in type's name, one name
 * for all that travel as plain characters, or `name[]` for an array of built-ins. Two columns with the
 * same form can exchange binary values whatever their servers' versions, 12 to 18; a form that holds
 * the oid of a type or of another object has no name, because oids differ between databases.
 */
export type BinaryForm = string;

/** varchar, text, bpchar, name and every enum (its label) send the same and check it when they receive it. */
const CHARACTERS: BinaryForm = "characters";

/**
 * Built-in types by pg_type's name, with their names in DDL (format_type) where these differ. Left out:
 * xml (its form depends on a setting), tsquery (the server refuses some of what it sends itself), types whose
 * values are oids (reg*), vectors, aclitem and pseudo-types.
 */
const builtIn: Readonly<Record<string, string>> = {
  bool: "boolean",
  int2: "smallint",
  int4: "integer",
  int8: "bigint",
  float4: "real",
  float8: "double precision",
  numeric: "numeric",
  money: "money",
  oid: "oid",
  xid: "xid",
  xid8: "xid8",
  cid: "cid",
  tid: "tid",
  char: '"char"',
  name: "name",
  text: "text",
  varchar: "character varying",
  bpchar: "character",
  bytea: "bytea",
  bit: "bit",
  varbit: "bit varying",
  date: "date",
  time: "time without time zone",
  timetz: "time with time zone",
  timestamp: "timestamp without time zone",
  timestamptz: "timestamp with time zone",
  interval: "interval",
  uuid: "uuid",
  json: "json",
  jsonb: "jsonb",
  jsonpath: "jsonpath",
  inet: "inet",
  cidr: "cidr",
  macaddr: "macaddr",
  macaddr8: "macaddr8",
  point: "point",
  lseg: "lseg",
  path: "path",
  box: "box",
  polygon: "polygon",
  line: "line",
  circle: "circle",
  tsvector: "tsvector",
  pg_lsn: "pg_lsn",
  txid_snapshot: "txid_snapshot",
  pg_snapshot: "pg_snapshot",
  int4range: "int4range",
  int8range: "int8range",
  numrange: "numrange",
  tsrange: "tsrange",
  tstzrange: "tstzrange",
  daterange: "daterange",
  int4multirange: "int4multirange",
  int8multirange: "int8multirange",
  nummultirange: "nummultirange",
  tsmultirange: "tsmultirange",
  tstzmultirange: "tstzmultirange",
  datemultirange: "datemultirange",
};

const characterTypes: ReadonlySet<string> = new Set(["text", "varchar", "bpchar", "name"]);

const byDdlName: ReadonlyMap<string, string> = new Map([
  ...Object.entries(builtIn).map(([name, ddl]) => [ddl, name] as const),
  ["bpchar", "bpchar"] as const,
]);

const builtInList = Object.keys(builtIn).map(literal).join(", ");
const characterList = [...characterTypes].map(literal).join(", ");

/**
 * SQL for the type that a type's values are of: its own oid, or for a domain that of its base type.
 * The expression must not use the alias `own`.
 */
export function baseTypeSql(typeOid: string): string {
  return `(with recursive base(oid, kind, next) as (
      select own.oid, own.typtype, own.typbasetype from pg_catalog.pg_type own where own.oid = ${typeOid}
      union all
      select own.oid, own.typtype, own.typbasetype
        from base b join pg_catalog.pg_type own on own.oid = b.next where b.kind = 'd')
    select base.oid from base where base.kind <> 'd')`;
}

/**
 * SQL for the binary form of the type whose oid an expression gives; null when it has none. The
 * expression must not use the aliases `own`, `actual` and `element`.
 */
export function binaryFormSql(typeOid: string): string {
  return `(select case
        when actual.typtype = 'e' then '${CHARACTERS}'
        when actual.typnamespace <> 'pg_catalog'::pg_catalog.regnamespace then null
        when actual.typname in (${characterList}) then '${CHARACTERS}'
        when actual.typname in (${builtInList}) then actual.typname::text
        when actual.typlen = -1 and element.typname in (${builtInList}) then element.typname || '[]'
      end
      from pg_catalog.pg_type actual
      left join pg_catalog.pg_type element on element.oid = actual.typelem and element.typarray = actual.oid
       and element.typnamespace = 'pg_catalog'::pg_catalog.regnamespace
     where actual.oid = ${baseTypeSql(typeOid)})`;
}

/** The binary form of a source's column, as far as its description tells; undefined when it does not. */
export function binaryForm(column: Column): BinaryForm | undefined {
  if (column.binaryAs !== undefined) return column.binaryAs;
  const array = column.nativeType.endsWith("[]");
  const ddl = array ? column.nativeType.replace(/(\[\])+$/, "") : column.nativeType;
  const name = byDdlName.get(withoutModifier(ddl));
  if (name !== undefined) return array ? `${name}[]` : formOf(name);
  return formOfUserType(column);
}

export function sameBinaryForm(a: BinaryForm | undefined, b: BinaryForm | undefined): boolean {
  return a !== undefined && a === b;
}

function formOf(name: string): BinaryForm {
  return characterTypes.has(name) ? CHARACTERS : name;
}

/** `timestamp(3) with time zone` has its modifier in the middle, `interval day to second(3)` two of them. */
function withoutModifier(ddl: string): string {
  return /^interval[ (]/.test(ddl) ? "interval" : ddl.replace(/\([-\d, ]+\)/, "");
}

/**
 * An enum or a domain, whose logical type is its base's, or a column of another kind of database, which sends the
 * narrowest of our types that holds all its values. What could be several types is left to text.
 */
function formOfUserType({ type, nativeType }: Column): BinaryForm | undefined {
  switch (type.kind) {
    case "enum":
    case "string":
      return CHARACTERS;
    case "boolean":
      return "bool";
    case "int":
      if (!type.unsigned) return intForm(type.bits);
      // Ours without a sign are oid and domains of it, which have another form.
      return nativeType.includes("unsigned") ? intForm(type.bits + 1) : undefined;
    case "float":
      return `float${type.bits / 8}`;
    case "decimal":
      return "numeric";
    case "bytes":
      return "bytea";
    case "time":
    case "timestamp":
      return type.zoned ? `${type.kind}tz` : type.kind;
    case "date":
    case "uuid":
    case "interval":
      return type.kind;
    default:
      return undefined;
  }
}

function intForm(bits: number): BinaryForm {
  if (bits <= 16) return "int2";
  if (bits <= 32) return "int4";
  return bits <= 64 ? "int8" : "numeric";
}
