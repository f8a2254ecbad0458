import type { Finding } from "../../../core/finding.ts";
import { displayTable, type TableSchema } from "../../../core/schema.ts";
import type { SourceAssessment } from "../../../core/source.ts";
import { finding, mends } from "../../shared/finding.ts";
import { literal } from "../catalog/identifier.ts";
import type { Client } from "../connection/client.ts";
import { findsRowsAnyTime } from "../snapshot/gtid-moments.ts";
import type { Account } from "./assess-privileges.ts";

/** Names of the privilege for the global read lock. */
const RELOAD = ["RELOAD", "FLUSH_TABLES"];
const LOCKS_TABLES =
  "instead of a short global read lock the full load takes one on each table (LOCK TABLES) until all its sessions have begun";
const BEGINS_BETWEEN =
  "as it may not lock tables either (LOCK TABLES), the full load begins between two places of the log, and changes between these are applied to rows that may show them already";
const HAS_NO_PLACE =
  "as it may not lock tables either (LOCK TABLES) and the server does not number its transactions (gtid_mode is not ON), no full load has a place in the log from which changes could follow";

/**
 * How a full load gets a place in the log. MariaDB tells that of each transaction, and needs no lock. What roles give is not seen
 * here, so nothing ends the start where the session has one.
 */
export async function assessLocks(
  client: Client,
  { tables, type, resumes }: SourceAssessment,
  account: Account,
): Promise<readonly Finding[]> {
  const { facts } = client;
  if (type === "cdc" || facts.flavour === "mariadb") return [];
  if (RELOAD.some((name) => account.privileges.has(name))) return [];
  const told = (severity: Finding["severity"], without: string): Finding =>
    finding("source.privilege", severity, {
      subject: account.user,
      message: `The user ${account.user} lacks the privilege RELOAD${unless(account, "it or LOCK TABLES")}: ${without}.`,
      ...mends("source", [`grant reload on *.* to ${account.sql};`]),
    });
  if (type === "full-load" || (await mayLock(client, tables, account))) return [told("info", LOCKS_TABLES)];
  // What is loaded needs no snapshot any more.
  if (!facts.hasGtids) {
    const severity = account.hasRole ? "warning" : "error";
    return [told(resumes ? "info" : severity, HAS_NO_PLACE)];
  }
  return [
    told("info", BEGINS_BETWEEN),
    ...tables.filter((table) => !findsRowsAnyTime(table)).map(({ id }) => needsQuiet(id, account)),
  ];
}

function unless({ hasRole }: Account, privilege: string): string {
  return hasRole ? `, unless a role gives ${privilege}` : "";
}

/** Whether LOCK TABLES is granted on the databases of all tables, whose names may be patterns where it is. */
async function mayLock(client: Client, tables: readonly TableSchema[], account: Account): Promise<boolean> {
  if (account.privileges.has("LOCK TABLES")) return true;
  const schemas = [...new Set(tables.map(({ id }) => id.schema))];
  if (schemas.length === 0) return true;
  const rows = await client.query<{ may: string }>(
    schemas
      .map(
        (schema) => `select exists(select 1 from information_schema.schema_privileges
          where grantee = ${literal(account.grantee)} and privilege_type = 'LOCK TABLES'
            and ${literal(schema)} like table_schema) as may`,
      )
      .join(" union all "),
  );
  return rows.every(({ may }) => Number(may) === 1);
}

function needsQuiet(id: TableSchema["id"], account: Account): Finding {
  return finding("source.snapshot_not_exact", "warning", {
    subject: displayTable(id),
    table: id,
    message: `The table is loaded again when it is changed in the moment in which the load begins, and set aside when that happens several times: it has no key, or foreign keys that act by themselves, and the user may not lock tables${unless(account, "LOCK TABLES")}.`,
  });
}
