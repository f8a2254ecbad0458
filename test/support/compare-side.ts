import type { TableId } from "../../src/core/schema.ts";
import type { MysqlServer } from "./mysql-server.ts";
import type { PostgresServer } from "./postgres-server.ts";

/* How a database of either kind shows its rows as texts, by SQL of its own and nothing of the program. */

/** What a column holds; texts of one family can be compared whatever server they come from. */
export type Family =
  | "int"
  | "boolean"
  | "decimal"
  | "float32"
  | "float64"
  | "bits"
  | "text"
  | "json"
  | "bytes"
  | "geometry"
  | "date"
  | "timestamp"
  | "time"
  | "uuid"
  | "other";

export interface SideColumn {
  readonly name: string;
  readonly family: Family;
  readonly isKey: boolean;
}

export interface Side {
  /** Without control tables, views and what is the server's own. */
  tables(): Promise<readonly TableId[]>;
  /** In no order; none for a table that is not there. */
  columns(id: TableId): Promise<readonly SideColumn[]>;
  /** Each row as the texts of these columns. */
  rows(id: TableId, columns: readonly SideColumn[]): Promise<readonly (readonly (string | null)[])[]>;
}

const mysqlFamilies: Readonly<Record<string, Family>> = {
  ...{ tinyint: "int", smallint: "int", mediumint: "int", int: "int", bigint: "int", year: "int" },
  ...{ decimal: "decimal", float: "float32", double: "float64", bit: "bits", json: "json", uuid: "uuid" },
  ...{ date: "date", datetime: "timestamp", timestamp: "timestamp", time: "time" },
  ...{
    binary: "bytes",
    varbinary: "bytes",
    tinyblob: "bytes",
    blob: "bytes",
    mediumblob: "bytes",
    longblob: "bytes",
  },
  ...{ geometry: "geometry", point: "geometry", linestring: "geometry", polygon: "geometry" },
  ...{ multipoint: "geometry", multilinestring: "geometry", multipolygon: "geometry" },
  ...{ geometrycollection: "geometry", geomcollection: "geometry" },
  ...{ char: "text", varchar: "text", tinytext: "text", text: "text", mediumtext: "text", longtext: "text" },
  ...{ enum: "text", set: "text", inet4: "text", inet6: "text" },
};

/** Databases of a MySQL or MariaDB server; one when it is named. */
export function mysqlSide(server: MysqlServer, database?: string): Side {
  const only = database === undefined ? "" : `and table_schema = '${database}'`;
  return {
    tables: async () => {
      const rows = await server.query(
        `select table_schema as s, table_name as t from information_schema.tables
          where table_type in ('BASE TABLE', 'SYSTEM VERSIONED') and table_schema not in
            ('mysql', 'information_schema', 'performance_schema', 'sys', 'awsdms_control')
            and table_name not like 'awsdms\\_%' ${only} order by 1, 2`,
      );
      return rows.map(({ s, t }) => ({ schema: s!, name: t! }));
    },
    columns: async ({ schema, name }) => {
      const rows = await server.query(
        `select column_name as n, data_type as d, column_key as k from information_schema.columns
          where table_schema = '${schema}' and table_name = '${name}'`,
      );
      return rows.map(({ n, d, k }) => {
        return { name: n!, family: mysqlFamilies[d!.toLowerCase()] ?? "other", isKey: k === "PRI" };
      });
    },
    rows: async ({ schema, name }, columns) => {
      const list = columns.map((column, i) => `${mysqlText(column)} as c${i}`).join(", ");
      const sql = `set time_zone = '+00:00'; select ${list} from ${backticked(schema)}.${backticked(name)}`;
      const rows = await server.query(sql);
      return rows.map((row) => columns.map((_, i) => row[`c${i}`] ?? null));
    },
  };
}

function backticked(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}

function mysqlText({ name, family }: SideColumn): string {
  const column = backticked(name);
  switch (family) {
    case "bytes":
    case "geometry":
      return `lower(hex(${column}))`;
    case "bits":
      return `bin(${column} + 0)`;
    case "int":
      // Without the zeros of ZEROFILL and of years.
      return `cast(${column} + 0 as char)`;
    case "float32":
      // Printed as it is, it is rounded to six digits.
      return `cast(${column} + 0e0 as char)`;
    default:
      return `cast(${column} as char character set utf8mb4)`;
  }
}

const postgresFamilies: Readonly<Record<string, Family>> = {
  ...{
    int2: "int",
    int4: "int",
    int8: "int",
    bool: "boolean",
    numeric: "decimal",
    float4: "float32",
    float8: "float64",
  },
  ...{
    bit: "bits",
    varbit: "bits",
    text: "text",
    varchar: "text",
    bpchar: "text",
    json: "json",
    jsonb: "json",
  },
  ...{
    bytea: "bytes",
    date: "date",
    timestamp: "timestamp",
    timestamptz: "timestamp",
    time: "time",
    interval: "time",
  },
  ...{ uuid: "uuid" },
};

export function postgresSide(server: PostgresServer, database: string): Side {
  return {
    tables: () =>
      server.query(
        `select n.nspname as schema, c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
          where c.relkind in ('r', 'p') and not c.relispartition and n.nspname !~ '^pg_'
            and n.nspname <> 'information_schema' and c.relname !~ '^awsdms_' order by 1, 2`,
        database,
      ),
    columns: async ({ schema, name }) => {
      const client = await server.connect(database);
      try {
        const { rows } = await client.query<{ name: string; type: string; key: boolean }>(
          `select a.attname as name, t.typname as type,
             exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary and a.attnum = any (i.indkey)) as key
             from pg_class c join pg_namespace n on n.oid = c.relnamespace
             join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
             join pg_type t on t.oid = a.atttypid
            where n.nspname = $1 and c.relname = $2`,
          [schema, name],
        );
        return rows.map((row) => {
          return { name: row.name, family: postgresFamilies[row.type] ?? "other", isKey: row.key };
        });
      } finally {
        await client.end();
      }
    },
    rows: async ({ schema, name }, columns) => {
      const client = await server.connect(database);
      try {
        await client.query("set timezone = 'UTC'; set intervalstyle = postgres; set datestyle = iso");
        const list = columns.map(postgresText).join(", ");
        const text = `select ${list} from ${quoted(schema)}.${quoted(name)}`;
        return (await client.query({ text, rowMode: "array" })).rows as (string | null)[][];
      } finally {
        await client.end();
      }
    },
  };
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function postgresText({ name, family }: SideColumn): string {
  const column = quoted(name);
  if (family === "bytes") return `encode(${column}, 'hex')`;
  // A cast of an address shows its mask, which its own text has not.
  if (family === "other") return `case when ${column} is not null then format('%s', ${column}) end`;
  return `${column}::text`;
}
