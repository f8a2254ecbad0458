import type { EndpointConfig } from "../../core/engine.ts";
import type { Finding } from "../../core/finding.ts";
import type { SourceAssessment } from "../../core/source.ts";
import type { Client } from "./client.ts";
import { finding } from "./finding.ts";
import { atLeast } from "./server-facts.ts";

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
const LOCKS: Privilege = {
  names: ["RELOAD", "FLUSH_TABLES"],
  without: "the sessions of the full load cannot begin at one moment under a global read lock",
};

/** Privileges on the server as a whole. What a role brings is not seen here: of a session with one nothing is said. */
export async function assessPrivileges(
  client: Client,
  { type }: SourceAssessment,
  { username }: EndpointConfig,
): Promise<Finding[]> {
  const account = await accountOf(client);
  if (account.hasRole) return [];
  const lacking = ({ names, without }: Privilege, severity: Finding["severity"]): readonly Finding[] => {
    if (names.some((name) => account.privileges.has(name))) return [];
    return [
      finding("source.privilege", severity, {
        subject: username,
        message: `The user ${username} lacks the privilege ${names[0]}: ${without}.`,
        remedy: `Run on the source: grant ${names[0].toLowerCase()} on *.* to ${account.name};`,
      }),
    ];
  };
  const captures = type !== "full-load";
  return [
    ...(captures ? lacking(READS_LOG, "error") : []),
    ...(captures ? lacking(SEES_LOG, client.facts.hasGtids ? "warning" : "error") : []),
    ...(type === "cdc" ? [] : lacking(LOCKS, "warning")),
  ];
}

interface Account {
  /** As GRANT writes it: 'app'@'%'. */
  readonly name: string;
  readonly hasRole: boolean;
  readonly privileges: ReadonlySet<string>;
}

async function accountOf(client: Client): Promise<Account> {
  const hasRoles = client.facts.flavour === "mariadb" || atLeast(client.facts, 8);
  const [user] = await client.query<{ account: string; role: string | null }>(
    `select current_user() as account, ${hasRoles ? "current_role()" : "null"} as role`,
  );
  const at = user!.account.lastIndexOf("@");
  const name = `'${user!.account.slice(0, at)}'@'${user!.account.slice(at + 1)}'`;
  const rows = await client.query<{ privilege: string }>(
    "select privilege_type as privilege from information_schema.user_privileges where grantee = ?",
    [name],
  );
  return {
    name,
    hasRole: user!.role !== null && user!.role !== "NONE" && user!.role !== "",
    privileges: new Set(rows.map(({ privilege }) => privilege.toUpperCase())),
  };
}
