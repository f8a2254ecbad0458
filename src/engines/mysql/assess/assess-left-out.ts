import type { Finding } from "../../../core/finding.ts";
import { displayTable } from "../../../core/schema.ts";
import type { SourceAssessment } from "../../../core/source.ts";
import { finding } from "../../shared/finding.ts";
import { literal } from "../catalog/identifier.ts";
import type { Client } from "../connection/client.ts";

/** Names that a finding lists at most. */
const NAMED = 5;

/** Objects beside the task's tables, none of which are moved: one finding for each kind. */
export async function assessLeftOut(
  client: Client,
  { tables, movesWhole }: SourceAssessment,
): Promise<Finding[]> {
  const schemas = [...new Set([...tables.map(({ id }) => id.schema), ...(movesWhole ?? [])])];
  if (schemas.length === 0) return [];
  const isIn = (column: string): string => `${column} in (${schemas.map(literal).join(", ")})`;
  const kinds = [...KINDS, ...(client.facts.flavour === "mariadb" ? MARIADB_KINDS : [])];
  const findings: Finding[] = [];
  const moved = new Set(tables.map(({ id }) => displayTable(id)));
  for (const kind of kinds) {
    const { from, schema, name, where } = kind;
    const rows = await client.query<{ name: string }>(
      `select concat(${schema}, '.', ${name}) as name from information_schema.${from}
        where ${isIn(schema)}${where === undefined ? "" : ` and ${where}`} order by name`,
    );
    const names = rows.map((row) => row.name).filter((one) => !kind.comesAsTable || !moved.has(one));
    if (names.length > 0) findings.push(leftOut(kind, names));
  }
  return findings;
}

interface Kind {
  /** In the plural, as people call them. */
  readonly kind: string;
  readonly from: string;
  readonly schema: string;
  readonly name: string;
  readonly where?: string;
  /** Those that are among the task's tables come as such. */
  readonly comesAsTable?: true;
}

const KINDS: readonly Kind[] = [
  { kind: "views", from: "views", schema: "table_schema", name: "table_name", comesAsTable: true },
  { kind: "triggers", from: "triggers", schema: "trigger_schema", name: "trigger_name" },
  { kind: "functions and procedures", from: "routines", schema: "routine_schema", name: "routine_name" },
  { kind: "events", from: "events", schema: "event_schema", name: "event_name" },
  {
    kind: "partitionings of tables",
    from: "tables",
    schema: "table_schema",
    name: "table_name",
    where: "create_options like '%partitioned%'",
  },
];

const MARIADB_KINDS: readonly Kind[] = [
  {
    kind: "sequences",
    from: "tables",
    schema: "table_schema",
    name: "table_name",
    where: "table_type = 'SEQUENCE'",
  },
  {
    kind: "histories of system-versioned tables",
    from: "tables",
    schema: "table_schema",
    name: "table_name",
    where: "table_type = 'SYSTEM VERSIONED'",
  },
];

function leftOut({ kind }: Kind, names: readonly string[]): Finding {
  const more = names.length > NAMED ? ", ..." : "";
  return finding("source.not_moved", "warning", {
    subject: kind,
    message: `${kind[0]!.toUpperCase()}${kind.slice(1)} are not moved: ${names.length} (${names.slice(0, NAMED).join(", ")}${more}).`,
    remedy: "Move them by other means, e.g. mysqldump --no-data --routines --events --triggers.",
  });
}
