import { mysqlEngine } from "../../src/engines/mysql/engine.ts";
import { type MysqlFlavour, RELAXED, startMysql } from "../support/mysql-server.ts";
import type { DatabaseKind } from "./database-kind.ts";

export const mariadb = kindOf("MariaDB 10.11", "mariadb");
export const mysql57 = kindOf("MySQL 5.7", "mysql");

function kindOf(name: string, flavour: MysqlFlavour): DatabaseKind {
  return {
    name,
    engine: mysqlEngine,
    exceptionsSql: (task) =>
      `select STATEMENT from awsdms_control.awsdms_apply_exceptions where TASK_NAME = '${task}'`,
    failuresSql: (task) =>
      `select TABLE_NAME, \`KEY\`, FAILURE_TYPE, DETAILS from awsdms_control.awsdms_validation_failures_v1
        where TASK_NAME = '${task}'`,
    async start() {
      const server = await startMysql({ flavour, settings: RELAXED });
      return {
        async newSchema() {
          const database = await server.createDatabase("contract");
          return {
            endpoint: server.endpoint(database),
            name: database,
            run: async (sql) => void (await server.query(sql, database)),
            async rows(sql) {
              const connection = await server.connect(database);
              try {
                const options = { sql, rowsAsArray: true, typeCast: asText } as const;
                const [rows] = await connection.query(options);
                return rows as unknown as readonly (readonly (string | null)[])[];
              } finally {
                await connection.end();
              }
            },
            async session() {
              const connection = await server.connect(database);
              return {
                run: async (sql) => void (await connection.query(sql)),
                [Symbol.asyncDispose]: () => connection.end(),
              };
            },
          };
        },
        [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
      };
    },
  };
}

const asText = (field: { string(encoding: BufferEncoding): string | null }): string | null =>
  field.string("utf8");
