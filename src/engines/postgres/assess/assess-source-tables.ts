import type pg from "pg";
import type { Finding } from "../../../core/finding.ts";
import { displayTable, type TableId, type TableSchema, tableKey } from "../../../core/schema.ts";
import type { SourceAssessment } from "../../../core/source.ts";
import { type FindingDetails, finding, mends } from "../../shared/finding.ts";
import { identifier, qualified } from "../../shared/identifier.ts";
import { selectJson } from "../catalog/catalog-query.ts";
import type { StreamObjects } from "../log/publication.ts";
import type { SourceServer } from "./assess-source.ts";

export interface TablesAssessment {
  readonly request: SourceAssessment;
  readonly server: SourceServer;
  readonly stream: StreamObjects;
}

interface TableFacts {
  readonly schema: string;
  readonly name: string;
  readonly usage: boolean;
  readonly select: boolean;
  readonly owned: boolean;
  /** null where that is a superuser, whom nobody should be a member of. */
  readonly owner: string | null;
  readonly logged: boolean;
  readonly filtered: boolean;
  readonly published: boolean;
  /** The topmost partitioned table; null for a table of its own. */
  readonly root: string | null;
}

/** What reading each table needs, for all tables in one query. */
export async function assessSourceTables(
  client: pg.Client,
  { request, server, stream }: TablesAssessment,
): Promise<Finding[]> {
  const { tables } = request;
  const rows = await selectJson<TableFacts>(client, FACTS, [
    tables.map(({ id }) => id.schema),
    tables.map(({ id }) => id.name),
    stream.name,
  ]);
  const facts = new Map(rows.map((row) => [tableKey(row), row]));
  const findings: Finding[] = [];
  for (const table of tables) {
    const row = facts.get(tableKey(table.id));
    if (row === undefined) continue;
    findings.push(...reading(table.id, row, server));
    // Whether a publication of the user's holds the table is seen when the stream is opened.
    const captured = { ...row, published: row.published || !stream.own };
    if (request.type !== "full-load") findings.push(...capturing(table, captured, server));
  }
  if (request.movesWhole === undefined) findings.push(...partitioned(rows));
  return findings;
}

const FACTS = `
  select wanted.schema, wanted.name,
    has_schema_privilege(n.oid, 'usage') as usage,
    has_table_privilege(c.oid, 'select') as select,
    pg_has_role(c.relowner, 'usage') as owned,
    (select rolname from pg_roles where oid = c.relowner and not rolsuper) as owner,
    c.relpersistence = 'p' as logged,
    row_security_active(c.oid) as filtered,
    exists (select from pg_publication_rel r join pg_publication p on p.oid = r.prpubid
             where p.pubname = $3 and r.prrelid = c.oid) as published,
    case when c.relispartition then (
      with recursive up(oid) as (
        select c.oid union all select i.inhparent from up join pg_inherits i on i.inhrelid = up.oid)
      select rn.nspname || '.' || r.relname
        from up join pg_class r on r.oid = up.oid join pg_namespace rn on rn.oid = r.relnamespace
       where not r.relispartition) end as root
  from unnest($1::text[], $2::text[]) as wanted(schema, name)
  join pg_namespace n on n.nspname = wanted.schema
  join pg_class c on c.relnamespace = n.oid and c.relname = wanted.name`;

function reading(id: TableId, row: TableFacts, server: SourceServer): Finding[] {
  const subject = displayTable(id);
  const role = identifier(server.role);
  if (!row.usage) {
    const usage = `grant usage on schema ${identifier(id.schema)} to ${role};`;
    const select = row.select ? [] : [`grant select on ${qualified(id)} to ${role};`];
    return [
      finding("source.table_privilege", "error", {
        subject,
        table: id,
        message: `The role ${server.role} may not use the schema ${id.schema}.`,
        ...mends("source", [usage, ...select]),
      }),
    ];
  }
  if (!row.select) {
    return [
      finding("source.table_privilege", "error", {
        subject,
        table: id,
        message: `The role ${server.role} may not read the table ${subject}.`,
        ...mends("source", [`grant select on ${qualified(id)} to ${role};`]),
      }),
    ];
  }
  if (!row.filtered) return [];
  return [
    finding("source.row_security", "error", {
      subject,
      table: id,
      message: `Row level security would hide rows of ${subject} from the role ${server.role}.`,
      ...mends("source", [`alter role ${role} bypassrls;`], { as: "as a superuser" }),
    }),
  ];
}

/** One finding at most: each alone keeps the table's changes out. */
function capturing(table: TableSchema, row: TableFacts, server: SourceServer): Finding[] {
  const { id } = table;
  const subject = displayTable(id);
  if (!row.logged) {
    return [
      finding("source.not_logged", "error", {
        subject,
        table: id,
        message: `The table ${subject} is unlogged: its changes are not in the source's log.`,
        ...mends("source", [`alter table ${qualified(id)} set logged;`], {
          after: "or use a full-load task.",
        }),
      }),
    ];
  }
  if (table.rowIdentity === "none") {
    const identityFull = `alter table ${qualified(id)} replica identity full;`;
    return [
      finding("source.no_key", "error", {
        subject,
        table: id,
        message: table.indexes.some(
          ({ constraint, native }) => constraint === "primary-key" && /\) DEFERRABLE/.test(native),
        )
          ? `The primary key of ${subject} is deferrable and identifies no row in the log; the table has no other replica identity.`
          : `The table ${subject} has no primary key or replica identity.`,
        remedy: `Add a primary key that is not deferrable, or run on the source: ${identityFull} or use a full-load task.`,
        fix: { side: "source", statements: [identityFull] },
      }),
    ];
  }
  if (row.owned || row.published) return [];
  return [
    finding("source.table_privilege", "error", {
      subject,
      table: id,
      message: `The role ${server.role} does not own the table ${subject}, so it cannot publish its changes.`,
      ...owning(id, row.owner, identifier(server.role)),
    }),
  ];
}

function owning(id: TableId, owner: string | null, role: string): Pick<FindingDetails, "remedy" | "fix"> {
  if (owner !== null) return mends("source", [`grant ${identifier(owner)} to ${role};`]);
  return {
    remedy: `A superuser owns it: give it to another role that ${role} is a member of (alter table ${qualified(id)} owner to ...;), or have a superuser make the task's publication.`,
  };
}

function partitioned(rows: readonly TableFacts[]): Finding[] {
  const leaves = new Map<string, number>();
  for (const { root } of rows) {
    if (root !== null) leaves.set(root, (leaves.get(root) ?? 0) + 1);
  }
  return [...leaves].map(([root, count]) =>
    finding("source.partitioned", "warning", {
      subject: root,
      message: `The partitioned table ${root} is not made on the target; its ${count} selected partitions become ordinary tables there.`,
    }),
  );
}
