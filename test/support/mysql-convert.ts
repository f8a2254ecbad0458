import type { Column, Index, LogicalType, TableSchema } from "../../src/core/schema.ts";
import type { ConvertedPlan } from "../../src/core/target.ts";
import type { ServerFacts } from "../../src/engines/mysql/connection/server-facts.ts";
import { convertPlan } from "../../src/engines/mysql/convert/convert.ts";
import { catalog, compile } from "./plan-situation.ts";

/* Tables of PostgreSQL on their way to servers of MySQL and MariaDB, without any server. */

export function facts(flavour: ServerFacts["flavour"], version: ServerFacts["version"]): ServerFacts {
  return {
    ...{ flavour, version, text: "", serverId: 1, serverUuid: undefined, hasGtids: true },
    ...{
      lowerCaseTableNames: 0,
      maxAllowedPacket: 1 << 24,
      localInfile: true,
      logsWholeRows: true,
      characterSet: "utf8mb4",
    },
  } as ServerFacts;
}

export const mariadb = facts("mariadb", [10, 11, 19]);
export const mysql57 = facts("mysql", [5, 7, 29]);
export const refusing = { numbers: "error", dates: "error" } as const;
export const mysql8 = facts("mysql", [8, 0, 36]);

export function column(name: string, type: LogicalType, more: Partial<Column> = {}): Column {
  return { name, nativeType: "native", type, nullable: true, ...more };
}

export const string: LogicalType = { kind: "string", fixed: false };
export const int: LogicalType = { kind: "int", bits: 32, unsigned: false };

export function index(
  name: string,
  columns: readonly string[] | undefined,
  more: Partial<Index> = {},
): Index {
  const native = `USING btree (${columns?.join(", ") ?? "lower(a)"})`;
  return { name, unique: false, constraint: undefined, columns, native, ...more };
}

export const primary = (...columns: string[]): Index => {
  const native = `PRIMARY KEY (${columns.join(", ")})`;
  return index("t_pkey", columns, { unique: true, constraint: "primary-key", native });
};

export function convert(
  tables: readonly TableSchema[],
  server: ServerFacts = mariadb,
  more = {},
): ConvertedPlan {
  return convertPlan(compile({ catalog: catalog({ tables, ...more }) }).plan, server, refusing);
}

export function only({ plan }: ConvertedPlan): TableSchema {
  return plan.tables[0]!.target;
}
