import { MigrationError } from "../../../core/error.ts";
import type { Position } from "../../../core/position.ts";
import type { LogRequest } from "../../../core/source.ts";
import type { Client } from "../connection/client.ts";
import { GTID_KIND, gtidsOf, positionCodec } from "./binlog-position.ts";
import { containsGtids, type GtidSet } from "./gtid.ts";
import { currentPosition, loggedGtids } from "./log-state.ts";

/*
 * Which log a server writes. Transactions with GTIDs have them on every copy of the server, so whichever server holds
 * all that was read may be read next. Files and bytes are one server's own.
 */

/** See Source.followLog. `address`: where the source is, for messages. */
export async function followLog(
  client: Client,
  { known, reached }: LogRequest,
  address: string,
): Promise<string> {
  const name = logName(client);
  if (reached === undefined) return name;
  const refuse = (code: "source.other_server" | "source.set_back", message: string): never => {
    throw new MigrationError(code, { message, subject: address, ...remedyOf(code) });
  };
  if (client.facts.hasGtids !== (reached.kind === GTID_KIND)) {
    return refuse(
      "source.other_server",
      `The source ${numbering(client)}, and the target stands at ${reached.text}.`,
    );
  }
  const how = client.facts.hasGtids
    ? await partedGtids(client, gtidsOf(reached))
    : await partedPlaces(client, { known, reached, name });
  return how === undefined ? name : refuse(how.code, how.message);
}

interface Parted {
  readonly code: "source.other_server" | "source.set_back";
  readonly message: string;
}

function remedyOf(code: Parted["code"]): { readonly remedy?: string } {
  return code === "source.set_back" ? { remedy: "Start the task again with reload-target." } : {};
}

function numbering({ facts }: Client): string {
  return facts.hasGtids ? "numbers its transactions now" : "does not number its transactions";
}

/** Throws when a session is not at the server whose log is to be read: the address leads elsewhere by now. */
export async function checkLog(
  client: Pick<Client, "facts">,
  log: string | undefined,
  address: string,
): Promise<void> {
  if (log === undefined || logName(client) === log) return;
  throw new MigrationError("connect.lost", {
    message: "The source's address leads to another server than a moment ago.",
    subject: address,
  });
}

function logName({ facts }: Pick<Client, "facts">): string {
  return facts.hasGtids ? GTID_KIND : `mysql-binlog/${facts.serverUuid ?? facts.serverId}`;
}

async function partedGtids(client: Client, reached: GtidSet): Promise<Parted | undefined> {
  const logged = await loggedGtids(client);
  const isLacking = !containsGtids(logged, reached) || (await isParted(client, reached));
  if (!isLacking) return undefined;
  return hasServerOf(logged, reached)
    ? {
        code: "source.set_back",
        message:
          "The target holds transactions that the source's log does not have: the source was set back, or promoted before it had them.",
      }
    : {
        code: "source.other_server",
        message: "The source's log has no transaction of the servers that the target's changes come from.",
      };
}

/**
 * MariaDB's position of a domain is its last number alone. What each server has written there shows whether the numbers
 * up to `reached` are the same: a server that was promoted too early has given some of them out again.
 */
async function isParted(client: Client, reached: GtidSet): Promise<boolean> {
  if (reached.flavour !== "mariadb") return false;
  const [row] = await client.query<{ value: string | null }>("select @@global.gtid_binlog_state as value");
  const last = new Map<string, number>();
  for (const gtid of (row?.value ?? "").split(",")) {
    const [domain, server, sequence] = gtid.trim().split("-");
    last.set(`${domain}-${server}`, Number(sequence));
  }
  for (const [domain, { server, sequence }] of reached.domains) {
    if ((last.get(`${domain}-${server}`) ?? 0) < sequence) return true;
  }
  return false;
}

/** Whether the log has transactions of any server, or domain, that wrote what was reached. */
function hasServerOf(logged: GtidSet, reached: GtidSet): boolean {
  if (logged.flavour === "mysql" && reached.flavour === "mysql") {
    return [...reached.servers.keys()].some((uuid) => logged.servers.has(uuid));
  }
  if (logged.flavour !== "mariadb" || reached.flavour !== "mariadb") return false;
  return [...reached.domains.keys()].some((domain) => logged.domains.has(domain));
}

interface PlaceLog {
  readonly known: string | undefined;
  readonly reached: Position;
  readonly name: string;
}

async function partedPlaces(client: Client, { known, reached, name }: PlaceLog): Promise<Parted | undefined> {
  if (known !== undefined && known !== name) {
    return {
      code: "source.other_server",
      message: "The source is another server than the one that what the target holds was read from.",
    };
  }
  const end = await currentPosition(client);
  const order = positionCodec.compare(reached, end);
  if (order !== undefined && order <= 0) return undefined;
  return {
    code: "source.set_back",
    message: `The source's log ends at ${end.text}, but the target stands at ${reached.text}: the source was set back, or its log was reset.`,
  };
}
