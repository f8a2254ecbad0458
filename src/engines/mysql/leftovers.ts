import { failpoint } from "../../base/failpoint.ts";
import type { EndpointConfig } from "../../core/engine.ts";
import { MigrationError } from "../../core/error.ts";
import type { Leftover } from "../../core/leftover.ts";
import { CONTROL_COMMENT } from "../shared/apply/control-tables.ts";
import { presentOptionalTables } from "./apply/control-tables.ts";
import { mysqlJournalSql } from "./apply/journal-sql.ts";
import { lockName } from "./apply/task-lock.ts";
import { literal, qualified } from "./catalog/identifier.ts";
import type { Client } from "./connection/client.ts";
import { connect } from "./connection/connection.ts";
import { classify } from "./connection/errors.ts";
import { TRIAL_PREFIX } from "./load/trial-table.ts";

const PURPOSE = "tideway cleanup";

/**
 * What tasks have left on a server: records and control tables where it was the target. Nothing is left where it was the
 * source. Control tables that AWS DMS has made are not among them: Tideway's say whose they are.
 */
export async function findLeftovers(
  endpoint: EndpointConfig,
  signal: AbortSignal,
): Promise<readonly Leftover[]> {
  return withClient(endpoint, signal, undefined, async (client) => {
    const tables = await client.query<{ schema: string; name: string }>(
      `select table_schema as \`schema\`, table_name as name from information_schema.tables
        where table_name like 'awsdms\\_%' and table_comment = ${literal(CONTROL_COMMENT)} order by 1, 2`,
    );
    const records: Leftover[] = [];
    for (const { schema, name } of tables) {
      if (name === "awsdms_table_state") records.push(...(await recordsOf(client, schema)));
    }
    const inUse = records.some((record) => record.inUse);
    return [
      ...records,
      ...tables.map((id): Leftover => {
        const isTrial = id.name.startsWith(TRIAL_PREFIX);
        const detail = isTrial ? "left by a start that was killed" : "holds records of all tasks";
        const named = { kind: "control table", name: qualified(id), taskId: undefined } as const;
        return { ...named, inUse: inUse && !isTrial, detail };
      }),
    ];
  });
}

/** Removes what findLeftovers() has found. Throws what keeps it from being removed. */
export async function removeLeftover(
  endpoint: EndpointConfig,
  leftover: Leftover,
  signal: AbortSignal,
): Promise<void> {
  await withClient(endpoint, signal, leftover.name, async (client) => {
    await client.execute(await removeSql(client, leftover));
    failpoint("cleanup.leftover-removed");
  });
}

async function recordsOf(client: Client, schema: string): Promise<readonly Leftover[]> {
  const table = (name: string): string => qualified({ schema, name });
  const rows = await client.query<{ task: string; tables: string }>(
    `select task, sum(of_table) as tables from (
       select task_name as task, 1 as of_table from ${table("awsdms_table_state")}
       union all select TASK_NAME, 0 from ${table("awsdms_txn_state")}
       union all select task_name, 0 from ${table("awsdms_load_state")}) as records
     group by task order by task`,
  );
  const records: Leftover[] = [];
  for (const { task, tables } of rows) {
    const [lock] = await client.query<{ holder: string | null }>(
      `select is_used_lock(${literal(lockName(task))}) as holder`,
    );
    const inUse = lock!.holder !== null;
    records.push({
      kind: "task records",
      name: schema,
      taskId: task,
      inUse,
      detail: `${Number(tables)} tables`,
    });
  }
  return records;
}

async function removeSql(client: Client, { kind, name, taskId }: Leftover): Promise<string> {
  if (kind === "control table") return `drop table if exists ${name}`;
  if (kind !== "task records" || taskId === undefined) {
    throw new MigrationError("internal.unexpected", { message: `MySQL leaves nothing of the kind ${kind}.` });
  }
  const request = { taskId, controlSchema: name };
  const optionalTables = await presentOptionalTables(client, request);
  const deletes = mysqlJournalSql.forgetSql({ ...request, optionalTables });
  return `start transaction; ${deletes.join("; ")}; commit`;
}

async function withClient<Result>(
  endpoint: EndpointConfig,
  signal: AbortSignal,
  subject: string | undefined,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  const client = await connect(endpoint, { side: "target", purpose: PURPOSE }, signal);
  try {
    return await work(client);
  } catch (error) {
    throw classify(error, { side: "target", endpoint, ...(subject === undefined ? {} : { subject }) });
  } finally {
    await client.end();
  }
}
