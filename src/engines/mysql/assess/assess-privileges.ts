import type { Finding } from "../../../core/finding.ts";
import type { SourceAssessment } from "../../../core/source.ts";
import { finding, mends } from "../../shared/finding.ts";
import { accountParts, accountSql } from "../catalog/account.ts";
import type { Client } from "../connection/client.ts";
import { atLeast } from "../connection/server-facts.ts";

interface Privilege {
  /** Names that servers have for it, the one to grant first. */
  readonly names: readonly [string, ...string[]];
  /** What is wrong without it. */
  readonly without: string;
}

const READS_LOG: Privilege = {
  names: ["REPLICATION SLAVE", "REPLICATION REPLICA"],
  without: "it may not read the binary log",
};
const SEES_LOG: Privilege = {
  names: ["REPLICATION CLIENT", "BINLOG MONITOR", "SUPER"],
  without: "it cannot see where the binary log ends and which of its files are left",
};

/** Privileges on the server as a whole. What a role brings is not seen here: of a session with one nothing is said. */
export function assessPrivileges(
  { facts }: Client,
  { type }: SourceAssessment,
  account: Account,
): readonly Finding[] {
  if (account.hasRole) return [];
  const lacking = ({ names, without }: Privilege, severity: Finding["severity"]): readonly Finding[] => {
    if (names.some((name) => account.privileges.has(name))) return [];
    return [
      finding("source.privilege", severity, {
        subject: account.user,
        message: `The user ${account.user} lacks the privilege ${names[0]}: ${without}.`,
        ...mends("source", [`grant ${names[0].toLowerCase()} on *.* to ${account.sql};`]),
      }),
    ];
  };
  const captures = type !== "full-load";
  return [
    ...(captures ? lacking(READS_LOG, "error") : []),
    ...(captures ? lacking(SEES_LOG, facts.hasGtids ? "warning" : "error") : []),
  ];
}

/** Who the session is to the server. */
export interface Account {
  readonly user: string;
  /** As GRANT writes it: 'app'@'%'. */
  readonly sql: string;
  /** As the server's views write it. */
  readonly grantee: string;
  readonly hasRole: boolean;
  /** On the server as a whole, in upper case. */
  readonly privileges: ReadonlySet<string>;
}

export async function readAccount(client: Client): Promise<Account> {
  const hasRoles = client.facts.flavour === "mariadb" || atLeast(client.facts, 8);
  const [session] = await client.query<{ account: string; role: string | null }>(
    `select current_user() as account, ${hasRoles ? "current_role()" : "null"} as role`,
  );
  const { account, role } = session!;
  const { user, host } = accountParts(account);
  // The views put quotes around names, whatever these hold.
  const grantee = `'${user}'@'${host}'`;
  const rows = await client.query<{ privilege: string }>(
    "select privilege_type as privilege from information_schema.user_privileges where grantee = ?",
    [grantee],
  );
  return {
    user,
    sql: accountSql(account),
    grantee,
    hasRole: role !== null && role !== "NONE" && role !== "",
    privileges: new Set(rows.map(({ privilege }) => privilege.toUpperCase())),
  };
}
