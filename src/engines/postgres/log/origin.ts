import type pg from "pg";
import { MigrationError } from "../../../core/error.ts";
import type { Finding } from "../../../core/finding.ts";
import type { MigrationPlan } from "../../../core/plan.ts";
import { finding, mends } from "../../shared/finding.ts";
import { identifier, literal } from "../../shared/identifier.ts";
import { selectJson } from "../catalog/catalog-query.ts";
import { whenFree } from "../connection/when-free.ts";
import type { WireSession } from "../connection/wire-session.ts";

/*
 * Replication origins (manual, "Replication Progress Tracking"): a session that has one set up marks each of
 * its transactions in the log as brought by replication, and whoever reads the log can leave those out. With
 * it two databases that replicate to each other do not send each change round for ever.
 */

/** Of what is named after a task: slots, publications, origins. An origin belongs to the server, not to one of its databases. */
export const TASK_PREFIX = "tideway_";

const PATIENCE_MS = 10_000;

/** Before this version only a superuser may use origins; from it on also who may execute these functions. */
const GRANTED_VERSION = 140_000;
const FUNCTIONS = [
  "pg_replication_origin_create(text)",
  "pg_replication_origin_session_setup(text)",
  "pg_replication_origin_drop(text)",
];

function originName(taskId: string): string {
  return TASK_PREFIX + taskId;
}

/** From here on what the session writes is marked. Only one session at a time can have a task's origin. */
export async function markSession(wire: WireSession, taskId: string, signal: AbortSignal): Promise<void> {
  const name = literal(originName(taskId));
  await wire.query(
    `select pg_catalog.pg_replication_origin_create(${name})
      where not exists (select from pg_catalog.pg_replication_origin where roname = ${name})`,
  );
  await whenFree(() => wire.query(`select pg_catalog.pg_replication_origin_session_setup(${name})`), {
    patienceMs: PATIENCE_MS,
    signal,
  });
}

/** Removes a task's origin, if it has one: without one it takes no privilege. */
export async function dropOrigin(client: pg.Client, taskId: string, signal: AbortSignal): Promise<void> {
  const name = originName(taskId);
  const found = await selectJson(client, "select from pg_replication_origin where roname = $1", [name]);
  if (found.length === 0) return;
  await whenFree(() => client.query(dropOriginSql(name)), { patienceMs: PATIENCE_MS, signal });
}

export function dropOriginSql(name: string): string {
  return `select pg_catalog.pg_replication_origin_drop(roname) from pg_catalog.pg_replication_origin
    where roname = ${literal(name)}`;
}

interface MarkingFacts {
  readonly version: number;
  readonly role: string;
  readonly superuser: boolean;
  readonly granted: boolean;
  /** Origins that the server can have in use, and those that it has. */
  readonly room: number;
  readonly others: number;
  readonly own: boolean;
}

/** Whether the client's role may mark what it writes, and the server has room for the task's origin. */
export async function assessMarking(client: pg.Client, taskId: string): Promise<readonly Finding[]> {
  const name = originName(taskId);
  const [facts] = await selectJson<MarkingFacts>(
    client,
    `select current_setting('server_version_num')::int as version, current_user as role,
       (select rolsuper from pg_roles where rolname = current_user) as superuser,
       (select bool_and(has_function_privilege(f, 'execute')) from unnest($1::text[]) as f) as granted,
       coalesce(current_setting('max_active_replication_origins', true), current_setting('max_replication_slots'))::int as room,
       (select count(*)::int from pg_replication_origin where roname <> $2) as others,
       exists (select from pg_replication_origin where roname = $2) as own`,
    [FUNCTIONS.map((signature) => `pg_catalog.${signature}`), name],
  );
  const findings: Finding[] = [];
  const { version, role, superuser, granted, room, others, own } = facts!;
  // One that was ever set up keeps its place until it is dropped, also the task's own.
  if (room === 0 || (others >= room && !own)) {
    findings.push(
      finding("target.origin_limit", "error", {
        subject: name,
        message: `The target has room for ${room} replication origins, and others take ${others}.`,
      }),
    );
  }
  if (superuser || (version >= GRANTED_VERSION && granted)) return findings;
  return [
    ...findings,
    finding("target.origin_privilege", "error", {
      subject: role,
      message: `The role ${role} may not mark its changes by a replication origin, so they would come back from the target.`,
      ...(version >= GRANTED_VERSION
        ? mends("target", [`grant execute on function ${FUNCTIONS.join(", ")} to ${identifier(role)};`], {
            as: "as a superuser",
          })
        : {
            remedy:
              "Before version 14 only a superuser may use replication origins: use one for the target, or leave LoopbackPreventionSettings out.",
          }),
    }),
  ];
}

/**
 * What other replication brings to a source whose own changes alone are read. One task of Tideway's is taken for
 * the one in the opposite direction; of several it cannot be told which it is.
 */
export async function assessOtherOrigins(client: pg.Client): Promise<readonly Finding[]> {
  const origins = await selectJson<{ name: string; ours: boolean }>(
    client,
    "select roname as name, starts_with(roname, $1) as ours from pg_replication_origin order by 1",
    [TASK_PREFIX],
  );
  const several = origins.filter(({ ours }) => ours).length > 1;
  const others = origins.filter(({ ours }) => !ours || several);
  return others.map(({ name }) =>
    finding("source.foreign_changes", "warning", {
      subject: name,
      message: `What comes to the source by the replication origin ${name} is left out, as EnableLoopbackPrevention asks.`,
    }),
  );
}

/**
 * Throws `target.captured` when a stream of another task, which is told by a slot and a publication of one
 * name, sends on what is written to the plan's tables. Rows that are loaded carry no mark: the sessions that
 * load are many, and an origin is one session's.
 */
export async function checkUncaptured(client: pg.Client, plan: MigrationPlan): Promise<void> {
  const ids = plan.tables.map(({ target }) => target.id);
  const [found] = await selectJson<{ slot: string; table: string }>(
    client,
    `select s.slot_name as slot, p.schemaname || '.' || p.tablename as table
       from pg_replication_slots s join pg_publication_tables p on p.pubname = s.slot_name
       join unnest($1::text[], $2::text[]) as wanted(schema, name)
         on wanted.schema = p.schemaname and wanted.name = p.tablename
      where s.database = current_database() limit 1`,
    [ids.map(({ schema }) => schema), ids.map(({ name }) => name)],
  );
  if (found === undefined) return;
  throw new MigrationError("target.captured", {
    message: `The slot ${found.slot} sends on what is written to ${found.table}, so rows that are loaded would come back.`,
    subject: found.slot,
  });
}
