/** What a server is, as far as it decides what is asked of it and how. */
export interface ServerFacts {
  readonly flavour: "mysql" | "mariadb";
  /** Major, minor, patch: [10, 11, 19], [5, 7, 29]. */
  readonly version: readonly [number, number, number];
  /** As people write it: "MariaDB 10.11.19", "MySQL 5.7.29". */
  readonly text: string;
  /** server_id; 0 when none is set. */
  readonly serverId: number;
  /** server_uuid of MySQL; MariaDB has none. */
  readonly serverUuid: string | undefined;
  /** The same on every session of one server, and another on others, also where both are behind one address. */
  readonly identity: string;
  /** Whether transactions have GTIDs: MariaDB's always, MySQL's with gtid_mode ON. */
  readonly hasGtids: boolean;
  /** 0: names of tables are kept and compared as written, 1: in lower case, 2: kept and compared in lower case. */
  readonly lowerCaseTableNames: number;
  /** Bytes of the largest statement, row or event; also the largest value. */
  readonly maxAllowedPacket: number;
  readonly localInfile: boolean;
  /** binlog_row_image is FULL, unless a session sets another for itself. */
  readonly logsWholeRows: boolean;
  /** The character set of databases that name none. */
  readonly characterSet: string;
}

/** Names and values of the variables that facts come from; run with the session's settings. */
export const FACTS_SQL = `show global variables where variable_name in ('version', 'server_id', 'server_uuid',
  'hostname', 'port',
  'gtid_mode', 'lower_case_table_names', 'max_allowed_packet', 'local_infile', 'character_set_server',
  'binlog_row_image')`;

/** Rows of FACTS_SQL as facts. */
export function readFacts(rows: readonly VariableRow[]): ServerFacts {
  const variables = new Map(rows.map((row) => [row.Variable_name, row.Value ?? ""]));
  const text = variables.get("version") ?? "";
  const { flavour, version } = readVersion(text);
  const serverId = Number(variables.get("server_id") ?? 0);
  const uuid = variables.get("server_uuid");
  return {
    flavour,
    version,
    text: `${flavour === "mariadb" ? "MariaDB" : "MySQL"} ${version.join(".")}`,
    serverId,
    identity: [variables.get("server_uuid"), serverId, variables.get("hostname"), variables.get("port")].join(
      " ",
    ),
    serverUuid: flavour === "mysql" && uuid !== "" ? uuid : undefined,
    hasGtids: flavour === "mariadb" || variables.get("gtid_mode") === "ON",
    lowerCaseTableNames: Number(variables.get("lower_case_table_names") ?? 0),
    maxAllowedPacket: Number(variables.get("max_allowed_packet") ?? 1 << 24),
    logsWholeRows: variables.get("binlog_row_image")?.toUpperCase() === "FULL",
    localInfile: variables.get("local_infile") === "ON",
    characterSet: variables.get("character_set_server") ?? "",
  };
}

export interface VariableRow {
  readonly Variable_name: string;
  readonly Value: string | null;
}

/** "10.11.19-MariaDB-0+deb12u1-log", "5.7.29-log"; Aurora's own number follows MySQL's in another variable. */
function readVersion(text: string): Pick<ServerFacts, "flavour" | "version"> {
  const match = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  return {
    flavour: /mariadb/i.test(text) ? "mariadb" : "mysql",
    version: [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0), Number(match?.[3] ?? 0)],
  };
}

/** Whether a server's version is that one or newer. */
export function atLeast(facts: ServerFacts, ...wanted: readonly number[]): boolean {
  for (const [index, number] of wanted.entries()) {
    const own = facts.version[index] ?? 0;
    if (own !== number) return own > number;
  }
  return true;
}
