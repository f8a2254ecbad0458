import type pg from "pg";
import { MigrationError } from "../../../core/error.ts";
import type { Finding } from "../../../core/finding.ts";
import { CONTROL_COMMENT } from "../../shared/apply/control-tables.ts";
import { finding, mends } from "../../shared/finding.ts";
import { identifier, qualified } from "../../shared/identifier.ts";
import { selectJson } from "../catalog/catalog-query.ts";

/**
 * Other tasks' loads into a source whose own changes alone are to be read: rows that are loaded carry no mark, and
 * would count as written there. Of any table, since a task's records name its source's tables, not those it loads.
 * A task whose slot is there already goes on: it is the load that is refused for it.
 */
export async function assessLoads(
  client: pg.Client,
  taskId: string,
  slot: string,
): Promise<readonly Finding[]> {
  const slots = await selectJson(client, "select from pg_replication_slots where slot_name = $1", [slot]);
  return slots.length > 0 ? [] : await otherLoads(client, taskId);
}

/** Throws the first of them, also when the task has its slot: it has just been made. */
export async function checkLoads(client: pg.Client, taskId: string): Promise<void> {
  const [first] = await otherLoads(client, taskId);
  if (first === undefined) return;
  const { code, message, subject, remedy } = first;
  throw new MigrationError(code, { message, subject, remedy });
}

/** All are errors. */
async function otherLoads(client: pg.Client, taskId: string): Promise<readonly Finding[]> {
  const found = await selectJson<Records>(client, RECORDS, [CONTROL_COMMENT]);
  const findings: Finding[] = [];
  for (const records of found) {
    if (!records.readable) {
      findings.push(unreadable(records));
      continue;
    }
    const loads = await selectJson<{ task: string; tables: number }>(
      client,
      `select task_name as task, count(*)::int as tables from ${qualified(records)}
        where task_name <> $1 and state in ('planned', 'prepared') group by task_name order by task_name`,
      [taskId],
    );
    for (const { task, tables } of loads) {
      findings.push(
        finding("source.being_loaded", "error", {
          subject: task,
          message: `The task ${task} has ${tables} tables still to load into this source; their rows would be read as its own.`,
        }),
      );
    }
  }
  return findings;
}

interface Records {
  readonly schema: string;
  readonly name: string;
  readonly role: string;
  readonly readable: boolean;
}

/** Where tasks into this database keep their records. */
const RECORDS = `
  select n.nspname as schema, c.relname as name, current_user as role,
         has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select') as readable
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind = 'r' and c.relname = 'awsdms_table_state' and obj_description(c.oid, 'pg_class') = $1
   order by 1`;

function unreadable(records: Records): Finding {
  const { schema, name, role } = records;
  return finding("source.privilege", "error", {
    subject: role,
    message: `The role ${role} may not read ${schema}.${name}, where tasks record what they load into this source: rows that are loaded would be read as its own.`,
    ...mends("source", [
      `grant usage on schema ${identifier(schema)} to ${identifier(role)};`,
      `grant select on ${qualified(records)} to ${identifier(role)};`,
    ]),
  });
}
