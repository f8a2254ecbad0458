import { createHash } from "node:crypto";
import type { JournalRequest } from "../../../core/journal.ts";
import { type TableId, tableKey } from "../../../core/schema.ts";
import type { JournalDialect, JournalSql } from "./journal-sql.ts";
import { isNamedSql } from "./validation-failures.ts";

type FailuresSql = Pick<
  JournalSql,
  "saveFailuresSql" | "removeFailuresSql" | "countFailuresSql" | "differencesSql" | "differenceKindsSql"
>;

/** The statements about awsdms_validation_failures_v1. */
export function validationFailuresSql(dialect: JournalDialect): FailuresSql {
  const { identifier, literal, controlTable, digest, now } = dialect;
  const [task, owner, name, key, type] = [
    "TASK_NAME",
    "TABLE_OWNER",
    "TABLE_NAME",
    "KEY",
    "FAILURE_TYPE",
  ].map(identifier) as [string, string, string, string, string];
  const failures = (request: JournalRequest): string =>
    controlTable(request, "awsdms_validation_failures_v1");

  const isOfTable = ({ taskId }: JournalRequest, { schema, name: table }: TableId): string =>
    `${task} = ${literal(taskId)} and ${owner} = ${literal(schema)} and ${name} = ${literal(table)}`;
  // The column finds them by its index; whether a collation takes two texts for one is not known of a table that was there.
  const isOneOf = (keys: readonly string[]): string =>
    `${key} in (${keys.map(literal).join(", ")})
      and ${digest(key)} in (${keys.map((text) => literal(sha256(text))).join(", ")})`;

  const isOfRow = `${type} <> 'TABLE_WARNING'`;

  const sql: FailuresSql = {
    saveFailuresSql(request, rows) {
      const named = rows.filter(({ hasKey }) => hasKey);
      const removed = [...Map.groupBy(named, ({ table }) => tableKey(table)).values()].flatMap((ofTable) => {
        const keys = ofTable.map((row) => row.key);
        return sql.removeFailuresSql(request, ofTable[0]!.table, keys);
      });
      const columns = [task, owner, name, identifier("FAILURE_TIME"), identifier("KEY_TYPE"), key, type];
      const values = rows.map(({ table, kind, key: text, details }) => {
        const names = [request.taskId, table.schema, table.name].map(literal).join(", ");
        return `(${names}, ${now}, 'Row', ${[text, kind, details].map(literal).join(", ")})`;
      });
      return [
        ...removed,
        `insert into ${failures(request)} (${columns.join(", ")}, ${identifier("DETAILS")})
          values ${values.join(", ")}`,
      ];
    },

    removeFailuresSql(request, table, keys) {
      const isMeant = keys === undefined ? "" : ` and ${isOneOf(keys)}`;
      return [`delete from ${failures(request)} where ${isOfTable(request, table)}${isMeant}`];
    },

    countFailuresSql(request) {
      return `select ${owner}, ${name}, count(*) from ${failures(request)}
        where ${task} = ${literal(request.taskId)} and ${isOfRow} group by ${owner}, ${name}`;
    },

    differencesSql(request, { table, after, limit }) {
      return `select id, min(shown), count(*) from (
          select ${digest(key)} as id, ${key} as shown from ${failures(request)}
          where ${isOfTable(request, table)} and ${isOfRow}) as recorded
        ${after === undefined ? "" : `where id > ${literal(after)}`} group by id order by id limit ${limit}`;
    },

    differenceKindsSql(request) {
      return `select ${owner}, ${name}, ${type}, named, count(*) from (
          select ${owner}, ${name}, ${type}, case when ${isNamedSql(key)} then 1 else 0 end as named
          from ${failures(request)} where ${task} = ${literal(request.taskId)} and ${isOfRow}) as recorded
        group by ${owner}, ${name}, ${type}, named`;
    },
  };
  return sql;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
