import type { Column, TableSchema } from "../../src/core/schema.ts";
import { identifier, literal } from "../../src/engines/mysql/catalog/identifier.ts";
import type { CellText } from "./binlog-source.ts";
import type { MysqlFlavour } from "./mysql-server.ts";

/** A column and what makes SQL for values of it; 0 <= random() < 1. */
interface TypedColumn {
  readonly definition: string;
  readonly value: (random: () => number) => string;
}

const int = (random: () => number, bits: number, unsigned = false): string => {
  const size = 2n ** BigInt(bits);
  // Many small ones, and the ends of the range.
  const width = BigInt(Math.floor(random() * (bits + 1)));
  const value =
    (BigInt(Math.floor(random() * 2 ** 53)) * 2_048n + BigInt(Math.floor(random() * 2_048))) % 2n ** width;
  if (unsigned) return String(random() < 0.1 ? size - 1n : value);
  const half = size / 2n;
  const signed = random() < 0.5 ? value % half : -(value % half);
  return String(random() < 0.1 ? -half : signed);
};

const pick = <T>(random: () => number, list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
const digits = (random: () => number, count: number): string =>
  Array.from({ length: count }, () => Math.floor(random() * 10)).join("");
const two = (random: () => number, from: number, to: number): string =>
  String(from + Math.floor(random() * (to - from + 1))).padStart(2, "0");
const date = (random: () => number, from = 1, to = 9999): string =>
  `${String(from + Math.floor(random() * (to - from + 1))).padStart(4, "0")}-${two(random, 1, 12)}-${two(random, 1, 28)}`;
const clock = (random: () => number, fraction: number): string =>
  `${two(random, 0, 23)}:${two(random, 0, 59)}:${two(random, 0, 59)}${fraction === 0 ? "" : `.${digits(random, fraction)}`}`;
const duration = (random: () => number, fraction: number): string =>
  `'${random() < 0.5 ? "-" : ""}${Math.floor(random() * 839)}:${two(random, 0, 59)}:${two(random, 0, 58)}${fraction === 0 ? "" : `.${digits(random, fraction)}`}'`;
const bytes = (random: () => number, max: number): string => {
  const length = Math.floor(random() * (max + 1));
  if (length === 0) return "''";
  return `x'${Array.from({ length }, () =>
    Math.floor(random() * 256)
      .toString(16)
      .padStart(2, "0"),
  ).join("")}'`;
};
const CHARACTERS = [..."abcXYZ019 ,'\"\\`\t\n\r\0~é€ßñ漢字😀𝄞"];
const LATIN = [..."abcXYZ019 ,'\"\\~éßñÿ€"];
const text = (random: () => number, max: number, from: readonly string[] = CHARACTERS): string =>
  literal(Array.from({ length: Math.floor(random() * (max + 1)) }, () => pick(random, from)).join(""));
const number = (random: () => number): string => {
  const value = (random() - 0.5) * 10 ** Math.floor(random() * 40 - 20);
  return random() < 0.2 ? String(Math.trunc(random() * 1e6)) : value.toExponential();
};
const json = (random: () => number, depth = 3): unknown => {
  const kind = depth === 0 ? random() * 6 : random() * 8;
  if (kind < 1) return null;
  if (kind < 2) return random() < 0.5;
  if (kind < 3) return Math.floor((random() - 0.5) * 10 ** Math.floor(random() * 15));
  if (kind < 4) return random() * 1e3;
  if (kind < 6)
    return Array.from({ length: Math.floor(random() * 20) }, () => pick(random, CHARACTERS)).join("");
  const count = Math.floor(random() * 5);
  if (kind < 7) return Array.from({ length: count }, () => json(random, depth - 1));
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [
      `k${i}${pick(random, ["", "é", '"'])}`,
      json(random, depth - 1),
    ]),
  );
};

const common: Readonly<Record<string, TypedColumn>> = {
  yr: { definition: "year", value: (r) => (r() < 0.1 ? "0000" : String(1901 + Math.floor(r() * 255))) },
  t8: { definition: "tinyint", value: (r) => int(r, 8) },
  u8: { definition: "tinyint unsigned", value: (r) => int(r, 8, true) },
  t16: { definition: "smallint", value: (r) => int(r, 16) },
  u16: { definition: "smallint unsigned zerofill", value: (r) => int(r, 16, true) },
  t24: { definition: "mediumint", value: (r) => int(r, 24) },
  u24: { definition: "mediumint unsigned", value: (r) => int(r, 24, true) },
  t32: { definition: "int", value: (r) => int(r, 32) },
  u32: { definition: "int unsigned", value: (r) => int(r, 32, true) },
  t64: { definition: "bigint", value: (r) => int(r, 64) },
  u64: { definition: "bigint unsigned", value: (r) => int(r, 64, true) },
  f32: { definition: "float", value: number },
  f64: { definition: "double", value: number },
  fm: { definition: "float(7,3)", value: (r) => String(Math.round((r() - 0.5) * 1e6) / 1e3) },
  d1: { definition: "decimal(5,2)", value: (r) => String(Math.round((r() - 0.5) * 199_998) / 100) },
  d2: {
    definition: "decimal(65,30)",
    value: (r) => `${r() < 0.5 ? "-" : ""}${digits(r, 35)}.${digits(r, 30)}`,
  },
  d3: { definition: "decimal(10,0) unsigned", value: (r) => digits(r, 10) },
  d4: { definition: "decimal(18,18)", value: (r) => `${r() < 0.5 ? "-" : ""}0.${digits(r, 18)}` },
  dt: { definition: "date", value: (r) => `'${date(r)}'` },
  tm0: { definition: "time", value: (r) => duration(r, 0) },
  tm2: { definition: "time(2)", value: (r) => duration(r, 2) },
  tm3: { definition: "time(3)", value: (r) => duration(r, 3) },
  tm6: { definition: "time(6)", value: (r) => duration(r, 6) },
  da0: { definition: "datetime", value: (r) => `'${date(r)} ${clock(r, 0)}'` },
  da1: { definition: "datetime(1)", value: (r) => `'${date(r)} ${clock(r, 1)}'` },
  da4: { definition: "datetime(4)", value: (r) => `'${date(r)} ${clock(r, 4)}'` },
  da6: { definition: "datetime(6)", value: (r) => `'${date(r)} ${clock(r, 6)}'` },
  ts0: { definition: "timestamp", value: (r) => `'${date(r, 1971, 2037)} ${clock(r, 0)}'` },
  ts3: { definition: "timestamp(3)", value: (r) => `'${date(r, 1971, 2037)} ${clock(r, 3)}'` },
  ts6: { definition: "timestamp(6)", value: (r) => `'${date(r, 1971, 2037)} ${clock(r, 6)}'` },
  c1: { definition: "char(10)", value: (r) => text(r, 10) },
  c2: { definition: "char(200)", value: (r) => text(r, 200) },
  v1: { definition: "varchar(20)", value: (r) => text(r, 20) },
  v2: { definition: "varchar(2000)", value: (r) => text(r, 100) },
  l1: { definition: "varchar(50) character set latin1", value: (r) => text(r, 50, LATIN) },
  l2: { definition: "text character set latin1", value: (r) => text(r, 300, LATIN) },
  u2: { definition: "varchar(50) character set utf16", value: (r) => text(r, 50) },
  tx1: { definition: "tinytext", value: (r) => text(r, 50) },
  tx2: { definition: "text", value: (r) => text(r, 300) },
  tx3: { definition: "mediumtext", value: (r) => text(r, 300) },
  tx4: { definition: "longtext", value: (r) => text(r, 300) },
  b1: { definition: "binary(7)", value: (r) => bytes(r, 7) },
  b2: { definition: "varbinary(300)", value: (r) => bytes(r, 300) },
  bl1: { definition: "tinyblob", value: (r) => bytes(r, 200) },
  bl2: { definition: "blob", value: (r) => bytes(r, 500) },
  bl4: { definition: "longblob", value: (r) => bytes(r, 500) },
  bt1: { definition: "bit(1)", value: (r) => pick(r, ["b'0'", "b'1'"]) },
  bt2: { definition: "bit(17)", value: (r) => String(Math.floor(r() * 2 ** 17)) },
  bt3: { definition: "bit(64)", value: (r) => int(r, 64, true) },
  en: {
    definition: "enum('a','b,c','é','it''s')",
    value: (r) => pick(r, ["'a'", "'b,c'", "'é'", "'it''s'"]),
  },
  se: {
    definition: "set('x','y z','ü','w')",
    value: (r) => pick(r, ["''", "'x'", "'x,ü'", "'y z,w'", "'x,y z,ü,w'"]),
  },
  ge: {
    definition: "geometry",
    value: (r) =>
      pick(r, [
        `st_geomfromtext('POINT(${number(r)} ${number(r)})', ${pick(r, ["0", "4326"])})`,
        "st_geomfromtext('POLYGON((0 0,0 5,5 5,5 0,0 0))')",
        "st_geomfromtext('GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1 1))', 4326)",
      ]),
  },
  js: { definition: "json", value: (r) => literal(JSON.stringify(json(r))) },
};

const mariadbOnly: Readonly<Record<string, TypedColumn>> = {
  ui: {
    definition: "uuid",
    value: (r) =>
      `'${digits(r, 8)}-${digits(r, 4)}-${pick(r, ["1", "3", "4", "5", "6", "7"])}${digits(r, 3)}-${pick(r, ["8", "9", "a", "b", "0", "c"])}${digits(r, 3)}-${digits(r, 12)}'`,
  },
  i6: {
    definition: "inet6",
    value: (r) =>
      pick(r, [
        "'::'",
        "'::1'",
        "'::ffff:1.2.3.4'",
        "'::1.2.3.4'",
        "'2001:db8::8:800:200c:417a'",
        "'1:0:0:2:0:0:0:3'",
        "'fe80::'",
      ]),
  },
  i4: { definition: "inet4", value: (r) => `'${two(r, 0, 99).replace(/^0(?=\d)/, "")}.0.200.255'` },
};

/** Columns of every type, in a mixed order where NULL is allowed. */
export function typedColumns(flavour: MysqlFlavour): Readonly<Record<string, TypedColumn>> {
  return flavour === "mariadb" ? { ...common, ...mariadbOnly } : common;
}

export function typedTable(flavour: MysqlFlavour, name: string): string {
  const columns = Object.entries(typedColumns(flavour)).map(
    ([column, { definition }]) => `${column} ${definition} null`,
  );
  return `create table ${name} (id int not null, ${columns.join(", ")}, primary key (id))`;
}

/** Numbers that look random, the same for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0;
    // The lower bits repeat soon.
    const high = state;
    state = (state * 1_664_525 + 1_013_904_223) >>> 0;
    return ((high >>> 5) * 67_108_864 + (state >>> 6)) / 2 ** 53;
  };
}

/** SQL of the value that a cell's text stands for. */
export function sqlOf({ type, nativeType }: Column, text: CellText): string {
  if (text === null || text === undefined) return "null";
  if (/^geometry/.test(nativeType)) return geometrySql(Buffer.from(text.slice(2), "hex"));
  switch (type.kind) {
    case "bytes":
      return text === "\\x" ? "''" : `x'${text.slice(2)}'`;
    case "bit":
      return `b'${text}'`;
    case "int":
    case "float":
    case "decimal":
      return text;
    case "timestamp":
      return literal(type.zoned ? text.replace(/\+00$/, "") : text);
    default:
      return literal(text);
  }
}

/** PostGIS's form taken apart again. */
function geometrySql(bytes: Buffer): string {
  const kind = bytes.readUInt32LE(1);
  if ((kind & 0x20000000) === 0) return `st_geomfromwkb(x'${bytes.toString("hex")}')`;
  const reference = bytes.readUInt32LE(5);
  const wkb = Buffer.concat([bytes.subarray(0, 5), bytes.subarray(9)]);
  wkb.writeUInt32LE(kind & ~0x20000000, 1);
  return `st_geomfromwkb(x'${wkb.toString("hex")}', ${reference})`;
}

/** A condition that holds where two rows are the same to the last byte. */
export function sameRows({ columns }: TableSchema, a: string, b: string): string {
  return columns
    .map(({ name, type, nativeType }) => {
      const [left, right] = [`${a}.${identifier(name)}`, `${b}.${identifier(name)}`];
      const isCharacters =
        ["string", "bytes", "enum", "set"].includes(type.kind) ||
        (type.kind === "json" && nativeType !== "json");
      return isCharacters ? `hex(${left}) <=> hex(${right})` : `${left} <=> ${right}`;
    })
    .join(" and ");
}
