import type { Finding } from "../../../core/finding.ts";
import type { TargetAssessment } from "../../../core/target.ts";
import { displayColumn } from "../../shared/convert/convert-notes.ts";
import { type FindingDetails, finding, mends } from "../../shared/finding.ts";
import { durabilityOf } from "../apply/apply-durability.ts";
import { flushDenied } from "../apply/apply-open.ts";
import { controlSchema, lacksRecords } from "../apply/control-tables.ts";
import { accountSql } from "../catalog/account.ts";
import { identifier } from "../catalog/identifier.ts";
import type { Client } from "../connection/client.ts";
import { type Grants, readGrants } from "../connection/grants.ts";
import { atLeast, type ServerFacts } from "../connection/server-facts.ts";
import { assessTargetTables } from "./assess-target-tables.ts";

/** Whether a server is fit to be written to, as far as it tells. Changes nothing. */
export async function assessTarget(client: Client, request: TargetAssessment): Promise<readonly Finding[]> {
  const user = await readUser(client);
  return [
    ...assessVersion(client.facts),
    ...(await assessWrites(client, user.grants)),
    ...assessLoading(client.facts, request),
    ...assessRights(request, user),
    ...(await assessRecords(client, request, user)),
    ...(request.appliesChanges === true ? await assessDurability(client) : []),
    ...(await assessTargetTables(client, request)),
  ];
}

function assessVersion(facts: ServerFacts): Finding[] {
  const isOld = facts.flavour === "mariadb" ? !atLeast(facts, 10, 3) : !atLeast(facts, 5, 7);
  if (!isOld) return [];
  const message = `The target is ${facts.text}; Tideway writes into MySQL from 5.7 on, and into MariaDB from 10.3 on.`;
  return [finding("target.version_unsupported", "error", { subject: facts.text, message })];
}

async function assessWrites(client: Client, grants: Grants): Promise<Finding[]> {
  const [row] = await client.query<{ name: string }>(
    `select variable_name as name from (
       select 'read_only' as variable_name, @@global.read_only as value
       union all select 'innodb_read_only', @@global.innodb_read_only) as variables where value <> 0 limit 1`,
  );
  if (row === undefined) return [];
  const mayWrite = ["SUPER", "CONNECTION_ADMIN", "READ ONLY ADMIN", "READ_ONLY ADMIN"].some((name) =>
    grants.hasGlobal(name),
  );
  if (row.name === "read_only" && mayWrite) return [];
  return [
    finding("target.read_only", "error", {
      subject: row.name,
      message: `The target takes no writes: ${row.name} is on.`,
      remedy: "Point the endpoint at the primary, or turn read-only off.",
    }),
  ];
}

/** A row or a statement that is longer is refused. */
const SMALL_PACKET = 4 << 20;
/** No server takes more. */
const LARGEST_PACKET = 1 << 30;
/** Types whose values may be longer than a packet is set to. */
const LONG_TYPE = /^(?:mediumtext|mediumblob|longtext|longblob|json)\b/i;
const NAMED = 5;

function assessLoading(
  { localInfile, maxAllowedPacket }: ServerFacts,
  { plan }: TargetAssessment,
): Finding[] {
  const findings: Finding[] = [];
  if (!localInfile) {
    const message = "The target's local_infile is off: rows are loaded by INSERT, which takes longer.";
    const fix = mends("target", ["set global local_infile = on;"], {
      after: "or have it set in the server's parameters.",
    });
    findings.push(finding("target.local_infile", "info", { subject: "local_infile", message, ...fix }));
  }
  const long = plan.tables.flatMap(({ source, target }) =>
    target.columns.flatMap(({ nativeType }, i) =>
      LONG_TYPE.test(nativeType) ? [displayColumn(source, source.columns[i]!.name)] : [],
    ),
  );
  const isSmall = maxAllowedPacket <= SMALL_PACKET;
  if (isSmall || (long.length > 0 && maxAllowedPacket < LARGEST_PACKET)) {
    const more = long.length > NAMED ? ` and ${long.length - NAMED} more` : "";
    const which = long.length === 0 ? "" : ` (${long.slice(0, NAMED).join(", ")}${more})`;
    findings.push(
      finding("target.out_of_resources", isSmall ? "warning" : "info", {
        subject: "max_allowed_packet",
        message: `The target's max_allowed_packet is ${maxAllowedPacket}: rows with longer values are refused${which}, of changes those of about half as many bytes.`,
        ...mends("target", ["set global max_allowed_packet = 1073741824;"]),
      }),
    );
  }
  return findings;
}

/** Changes are confirmed to the source once they are on the target's disk. */
async function assessDurability(client: Client): Promise<Finding[]> {
  if ((await durabilityOf(client)) !== "flush") return [];
  const denied = await flushDenied(client);
  if (denied === undefined) return [];
  const { subject, message, remedy } = denied;
  return [finding("target.privilege", "error", { subject: subject!, message, remedy })];
}

interface TargetUser {
  /** As the server writes an account. */
  readonly name: string;
  readonly grants: Grants;
}

async function readUser(client: Client): Promise<TargetUser> {
  const [who] = await client.query<{ user: string }>("select current_user() as user");
  return { name: who!.user, grants: await readGrants(client) };
}

interface Lacking extends Pick<FindingDetails, "remedy" | "fix"> {
  readonly privileges: string;
}

/** Those that the user does not have on all of a database; undefined if there is none. */
function lackingOf(
  { name, grants }: TargetUser,
  schema: string,
  wanted: readonly string[],
): Lacking | undefined {
  const lacking = wanted.filter((privilege) => !grants.has(privilege, schema));
  if (lacking.length === 0) return undefined;
  const privileges = lacking.join(", ");
  const grant = `grant ${privileges.toLowerCase()} on ${identifier(schema)}.* to ${accountSql(name)};`;
  return { privileges, ...mends("target", [grant]) };
}

const LOADS = ["SELECT", "INSERT", "UPDATE", "DELETE"];
const MAKES = [...LOADS, "CREATE", "DROP", "ALTER", "INDEX", "REFERENCES"];

/** Whether a task may keep its records: without them nothing is begun. */
async function assessRecords(
  client: Client,
  { journal, plan, mode }: TargetAssessment,
  user: TargetUser,
): Promise<Finding[]> {
  if (journal === undefined) return [];
  const schema = controlSchema(journal);
  const isOfTables = plan.tables.some(({ target }) => target.id.schema === schema);
  // More is asked for there.
  if (isOfTables && mode === "drop-and-create") return [];
  const wanted = [...LOADS, ...((await lacksRecords(client, journal)) ? ["CREATE"] : [])];
  const lacking = lackingOf(user, schema, wanted);
  if (lacking === undefined) return [];
  const { privileges, ...fix } = lacking;
  return [
    finding("target.privilege", "error", {
      subject: `records in database ${schema}`,
      message: `The user ${user.name} lacks privileges in the target's database ${schema}, where tasks keep their records: ${privileges}.`,
      ...fix,
    }),
  ];
}

function assessRights({ plan, mode }: TargetAssessment, user: TargetUser): Finding[] {
  const schemas = new Set(plan.tables.map(({ target }) => target.id.schema));
  const makes = mode === "drop-and-create";
  return [...schemas].flatMap((schema) => {
    const findings: Finding[] = [];
    const rows = lackingOf(user, schema, makes ? MAKES : LOADS);
    if (rows !== undefined) {
      const { privileges, ...fix } = rows;
      findings.push(
        finding("target.privilege", makes ? "error" : "warning", {
          subject: `database ${schema}`,
          message: `The user ${user.name} lacks privileges in the target's database ${schema}: ${privileges}.`,
          ...fix,
        }),
      );
    }
    // Tables that are made anew have none.
    const triggers = makes ? undefined : lackingOf(user, schema, ["TRIGGER"]);
    if (triggers !== undefined) {
      const { privileges, ...fix } = triggers;
      findings.push(
        finding("target.privilege", "warning", {
          subject: `triggers of database ${schema}`,
          message: `The user ${user.name} lacks ${privileges} in the target's database ${schema}: triggers are not seen, and changes are applied one by one.`,
          ...fix,
        }),
      );
    }
    return findings;
  });
}
