import type { Finding } from "../../../core/finding.ts";
import { displayTable, type TableId, type TableSchema, tableKey } from "../../../core/schema.ts";
import type { SourceAssessment } from "../../../core/source.ts";
import { finding, mends } from "../../shared/finding.ts";
import { type OfTable, selectOfTables } from "../catalog/catalog-query.ts";
import { qualified } from "../catalog/identifier.ts";
import { withoutRemarks } from "../catalog/type-text.ts";
import type { Client } from "../connection/client.ts";
import { classify, serverFields } from "../connection/errors.ts";
import { globalVariables, isNotAllowed } from "../log/log-state.ts";
import type { Account } from "./assess-privileges.ts";

/** What reading each table needs. */
export async function assessSourceTables(
  client: Client,
  { tables, type }: SourceAssessment,
  account: Account,
): Promise<Finding[]> {
  const captures = type !== "full-load";
  const ids = tables.map(({ id }) => id);
  const kinds = await selectOfTables<TableKindRow>(
    client,
    ids,
    (where) => `
    select table_schema as \`schema\`, table_name as \`table\`, table_type as type, engine as engine,
           (select e.transactions from information_schema.engines e where e.engine = t.engine) as transactions
      from information_schema.tables t where ${where}`,
  );
  const showsLabels = captures && (await logsLabels(client));
  const findings = await unreadable(client, ids, account);
  if (captures && client.facts.flavour === "mariadb") {
    findings.push(...(await oldTemporals(client, ids)), ...(await compressed(client, ids)));
  }
  for (const table of tables) {
    findings.push(...unknownTypes(table));
    const kind = kinds.get(tableKey(table.id))?.[0];
    if (kind?.type === "SYSTEM VERSIONED" && captures) findings.push(versioned(table.id));
    const isStored = kind !== undefined && table.isView !== true;
    if (isStored && kind.transactions !== "YES" && type !== "cdc")
      findings.push(notTransactional(table.id, kind));
    if (captures && !showsLabels) findings.push(...unreadableLabels(table));
  }
  return findings;
}

interface TableKindRow extends OfTable {
  readonly type: string;
  readonly engine: string | null;
  readonly transactions: string | null;
}

interface OldColumnRow extends OfTable {
  readonly name: string;
  readonly type: string;
}

/** Columns with fractions of seconds that are kept as before MariaDB 10.1. */
async function oldTemporals(client: Client, ids: readonly TableId[]): Promise<readonly Finding[]> {
  const rows = await selectOfTables<OldColumnRow>(
    client,
    ids,
    (where) => `
    select table_schema as \`schema\`, table_name as \`table\`, column_name as name, column_type as type
      from information_schema.columns where ${where} and column_type like '%(_) /* mariadb-5.3 */'`,
  );
  return [...rows.values()].flat().map(({ schema, table, name, type }) => {
    const id = { schema, name: table };
    return finding("source.old_temporal", "error", {
      subject: displayTable(id),
      table: id,
      message: `The column ${name} (${withoutRemarks(type)}) is kept in a form from before MariaDB 10.1, in which changes of it cannot be read.`,
      ...mends(
        "source",
        ["set global mysql56_temporal_format = ON;", `alter table ${qualified(id)} force;`],
        {
          after: "or use a full-load task for the table.",
        },
      ),
    });
  });
}

/** Columns whose values MariaDB keeps, and logs, compressed. */
async function compressed(client: Client, ids: readonly TableId[]): Promise<readonly Finding[]> {
  const rows = await selectOfTables<OldColumnRow>(
    client,
    ids,
    (where) => `
    select table_schema as \`schema\`, table_name as \`table\`, column_name as name, column_type as type
      from information_schema.columns where ${where} and column_type like '%/*M!100301 COMPRESSED*/%'`,
  );
  return [...rows.values()].flat().map(({ schema, table, name, type }) => {
    const id = { schema, name: table };
    return finding("source.column_compressed", "error", {
      subject: displayTable(id),
      table: id,
      message: `The column ${name} (${withoutRemarks(type)}) is compressed: changes of it cannot be read from the log.`,
    });
  });
}

/** Whether the log's descriptions of tables hold the labels of enums and sets. */
async function logsLabels(client: Client): Promise<boolean> {
  const variables = await globalVariables(client, ["binlog_row_metadata"]);
  return variables.get("binlog_row_metadata") === "FULL";
}

function unknownTypes({ id, columns }: TableSchema): readonly Finding[] {
  return columns
    .filter(({ type }) => type.kind === "opaque")
    .map(({ name, nativeType }) =>
      finding("source.type_unknown", "error", {
        subject: displayTable(id),
        table: id,
        message: `The column ${name} has the type ${nativeType}, which Tideway does not know.`,
      }),
    );
}

function versioned(id: TableId): Finding {
  return finding("source.system_versioned", "error", {
    subject: displayTable(id),
    table: id,
    message: `The table ${displayTable(id)} is system-versioned: its changes are logged together with those of its history.`,
    ...mends("source", [`alter table ${qualified(id)} drop system versioning;`], {
      after: "which forgets its history; or use a full-load task for the table.",
    }),
  });
}

function notTransactional(id: TableId, { engine }: TableKindRow): Finding {
  return finding("source.not_transactional", "warning", {
    subject: displayTable(id),
    table: id,
    message: `The table ${displayTable(id)} is kept by ${engine ?? "an engine"} without transactions: what is changed while it is loaded may come twice or as it was at another moment.`,
    ...mends("source", [`alter table ${qualified(id)} engine = InnoDB;`], {
      after: "or let nobody write to the table while it is loaded.",
    }),
  });
}

/** Character sets that have characters which information_schema, in three bytes, has not. */
const WIDE = /^(?:utf8mb4|utf16|utf16le|utf32|gb18030)_/;

function unreadableLabels({ id, columns }: TableSchema): readonly Finding[] {
  return columns
    .filter(({ type, collation = "" }) => {
      return (
        (type.kind === "enum" || type.kind === "set") &&
        WIDE.test(collation) &&
        type.values.some((label) => label.includes("?"))
      );
    })
    .map(({ name }) =>
      finding("source.labels_unreadable", "error", {
        subject: displayTable(id),
        table: id,
        message: `A label of the column ${name} holds a "?", which may stand for a character that the server cannot show.`,
      }),
    );
}

/** Tables in one statement that asks for nothing. */
const ASKED_AT_ONCE = 50;
/** ER_BAD_DB_ERROR, ER_NO_SUCH_TABLE: it has gone since it was listed. */
const GONE: ReadonlySet<number> = new Set([1049, 1146]);

/**
 * Tables that the server does not read, or not for the user: information_schema lists a table as soon as any privilege
 * on it is held, and of its columns those alone on which one is. What is not about one table is thrown.
 */
async function unreadable(client: Client, ids: readonly TableId[], account: Account): Promise<Finding[]> {
  const findings: Finding[] = [];
  const refused = async (some: readonly TableId[]): Promise<void> => {
    // Of all columns: a user who may read some is refused, too.
    const sql = some
      .map((id) => `(select 1 from (select * from ${qualified(id)} limit 0) as whole)`)
      .join(" union all ");
    try {
      await client.query(sql);
    } catch (error) {
      // Of one that has gone somebody else speaks; of several the one has to be found.
      const first = some[0]!;
      const { scope, code, message, remedy } = classify(error, { side: "source", table: first });
      if (scope !== "table") throw error;
      if (some.length > 1) for (const id of some) await refused([id]);
      else if (isNotAllowed(error)) findings.push(mayNotRead(first, account));
      else if (!GONE.has(serverFields(error)?.number ?? 0)) {
        findings.push(
          finding(code, "error", { subject: displayTable(first), table: first, message, remedy }),
        );
      }
    }
  };
  for (let at = 0; at < ids.length; at += ASKED_AT_ONCE) await refused(ids.slice(at, at + ASKED_AT_ONCE));
  return findings;
}

function mayNotRead(id: TableId, { user, sql }: Account): Finding {
  return finding("source.table_privilege", "error", {
    subject: displayTable(id),
    table: id,
    message: `The user ${user} may not read the table ${displayTable(id)}, or not all of its columns; those that it may not read are not seen, and would be missing on the target.`,
    ...mends("source", [`grant select on ${qualified(id)} to ${sql};`]),
  });
}
