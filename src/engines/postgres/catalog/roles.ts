import type pg from "pg";
import type { Finding } from "../../../core/finding.ts";
import { EVERYBODY, type ObjectRights } from "../../../core/rights.ts";
import { type FindingDetails, finding, mends } from "../../shared/finding.ts";
import { identifier } from "../../shared/identifier.ts";
import { selectJson } from "./catalog-query.ts";

export interface Role {
  readonly name: string;
  readonly exists: boolean;
  /** Objects can be given to it and privileges in its name: the client's role is a member. */
  readonly usable: boolean;
  /** It owns something, or has given something on, so that it has to be usable. */
  readonly acts: boolean;
  /** Since version 16 a membership says whether rights are inherited and the role may be set. */
  readonly inherits: boolean;
  /** The client's. */
  readonly user: string;
}

/** What is on the target when a task starts keeps its owner and privileges, what an earlier run has made included. */
const THEN =
  "Then start the task anew: what it makes gets its owner and privileges, and what is left is told as statements.";

/** Each role that rights name, and whether it acts in them. */
export function rolesOf(rights: readonly ObjectRights[]): ReadonlyMap<string, boolean> {
  const roles = new Map<string, boolean>();
  for (const { owner, granted, revoked } of rights) {
    roles.set(owner, true);
    for (const { by, to } of [...granted, ...revoked]) {
      if (by !== undefined) roles.set(by, true);
      if (to !== undefined && to !== EVERYBODY) roles.set(to, roles.get(to) === true);
    }
  }
  return roles;
}

/**
 * USAGE is having its rights without asking. Since version 16 a member may be kept from SET ROLE, which
 * giving an object away takes; before, every member may.
 */
const ROLES = `
  select w.name, r.oid is not null as exists, current_user as user, w.acts,
    coalesce(pg_has_role(r.oid, 'usage') and pg_has_role(r.oid, case
      when current_setting('server_version_num')::int >= 160000 then 'set' else 'member' end), false) as usable,
    current_setting('server_version_num')::int >= 160000 as inherits
    from unnest($1::text[], $2::boolean[]) as w(name, acts) left join pg_roles r on r.rolname = w.name`;

export async function findRoles(
  client: pg.Client,
  roles: ReadonlyMap<string, boolean>,
): Promise<ReadonlyMap<string, Role>> {
  const rows = await selectJson<Role>(client, ROLES, [[...roles.keys()], [...roles.values()]]);
  return new Map(rows.map((row) => [row.name, row]));
}

/** One for each role that cannot be what it is on the source. The same before the start and at the end. */
export function unusableRoles(roles: ReadonlyMap<string, Role>): Finding[] {
  return [...roles.values()].flatMap(({ name, exists, usable, acts, inherits, user }) => {
    if (!exists) {
      return finding("target.role_missing", "warning", {
        subject: name,
        message: `The target has no role ${name}: what it owns on the source stays with ${user}, and nothing is granted to it.`,
        ...howToCreate(name),
      });
    }
    if (usable || !acts) return [];
    return finding("target.role_not_member", "warning", {
      subject: name,
      message: `On the target ${user} may not act as the role ${name}: what ${name} owns on the source stays with ${user}, and what it has granted is left out.`,
      ...mends(
        "target",
        [
          `grant ${identifier(name)} to ${identifier(user)}${inherits ? " with inherit true, set true" : ""};`,
        ],
        { after: THEN },
      ),
    });
  });
}

/** Names that begin with pg_ are the server's own, which those of other versions may lack; (OID=n) is a role that is gone. */
function howToCreate(name: string): Pick<FindingDetails, "remedy" | "fix"> {
  if (name.startsWith("pg_") || name.startsWith("unknown (OID=")) {
    return {
      remedy:
        "Give its rights to another role, on the source before the task starts or on the target afterwards.",
    };
  }
  return mends("target", [`create role ${identifier(name)};`], {
    after: `with the attributes and memberships that it needs. ${THEN}`,
  });
}
