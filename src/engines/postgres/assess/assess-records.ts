import type pg from "pg";
import { MigrationError } from "../../../core/error.ts";
import type { Finding } from "../../../core/finding.ts";
import type { TargetAssessment } from "../../../core/target.ts";
import { finding, mends } from "../../shared/finding.ts";
import { identifier, qualified } from "../../shared/identifier.ts";
import { type PresentRecords, presentRecords } from "../apply/control-tables.ts";
import { selectJson } from "../catalog/catalog-query.ts";

interface RecordsAssessment {
  /** The schema in which the task has to make tables for its records; undefined where none are missing. */
  readonly recordsIn: string | undefined;
  readonly findings: readonly Finding[];
}

/** Whether a task may keep its records: without them nothing is begun. */
export async function assessRecords(
  client: pg.Client,
  { journal }: TargetAssessment,
  role: string,
): Promise<RecordsAssessment> {
  if (journal === undefined) return { recordsIn: undefined, findings: [] };
  let present: PresentRecords;
  try {
    present = await presentRecords(client, journal);
  } catch (error) {
    if (!(error instanceof MigrationError) || error.code !== "target.control_table") throw error;
    const { code, message, subject, remedy } = error;
    return {
      recordsIn: undefined,
      findings: [finding(code, "error", { subject: subject!, message, remedy })],
    };
  }
  const recordsIn = present.isComplete ? undefined : present.schema;
  return { recordsIn, findings: await unwritable(client, present, role) };
}

/** Somebody else may have made them, for another task. */
async function unwritable(client: pg.Client, present: PresentRecords, role: string): Promise<Finding[]> {
  const { schema, names } = present;
  const [facts] = await selectJson<{ usage: boolean; refused: readonly string[] }>(
    client,
    `select has_schema_privilege(n.oid, 'usage') as usage,
       (select coalesce(json_agg(c.relname order by c.relname), '[]') from pg_class c
         where c.relnamespace = n.oid and c.relname = any($2)
           and not (has_table_privilege(c.oid, 'select') and has_table_privilege(c.oid, 'insert')
                and has_table_privilege(c.oid, 'update') and has_table_privilege(c.oid, 'delete'))) as refused
       from pg_namespace n where n.nspname = $1`,
    [schema, names],
  );
  if (facts === undefined || names.length === 0 || (facts.usage && facts.refused.length === 0)) return [];
  const { usage, refused } = facts;
  const to = identifier(role);
  return [
    finding("target.privilege", "error", {
      subject: `records in schema ${schema}`,
      message: `The role ${role} may not ${usage ? `write into ${refused.join(", ")}` : "use the schema"} in the target's schema ${schema}, where tasks keep their records.`,
      ...mends("target", [
        ...(usage ? [] : [`grant usage on schema ${identifier(schema)} to ${to};`]),
        ...refused.map(
          (name) => `grant select, insert, update, delete on ${qualified({ schema, name })} to ${to};`,
        ),
      ]),
    }),
  ];
}
