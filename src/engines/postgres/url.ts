import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import type { EndpointConfig, SslMode } from "../../core/engine.ts";
import { MigrationError } from "../../core/error.ts";

export const DEFAULT_PORT = 5432;

/**
 * libpq's modes. The two that let the server choose cannot be had: `allow` prefers plain and `prefer`
 * prefers TLS, so they become the mode they would try first.
 */
const sslModes: Readonly<Record<string, SslMode>> = {
  disable: "none",
  allow: "none",
  prefer: "require",
  require: "require",
  "verify-ca": "verify-ca",
  "verify-full": "verify-full",
};

const PARAMETERS = ["host", "port", "dbname", "user", "password", "sslmode", "sslrootcert"];

/** What people may well write, so that it can be named without repeating what may be a piece of a password. */
const LIBPQ_PARAMETERS = new Set(
  `application_name channel_binding client_encoding connect_timeout fallback_application_name gssencmode
   gsslib hostaddr keepalives keepalives_count keepalives_idle keepalives_interval krbsrvname
   load_balance_hosts options passfile replication require_auth requirepeer service ssl sslcert
   sslcertmode sslcompression sslcrl sslcrldir sslkey sslnegotiation sslpassword sslsni
   ssl_max_protocol_version ssl_min_protocol_version target_session_attrs tcp_user_timeout`.split(/\s+/),
);

/**
 * Splits `postgresql://user:password@host:port/database?parameter=value` as libpq does, every part
 * percent-encoded where it needs to be. The host may be an address ([::1] for IPv6) or the directory
 * of a unix socket, percent-encoded or as parameter `host`. Parameters win over the same part before
 * them; known are host, port, dbname, user, password, sslmode and sslrootcert (the file of a CA, read
 * now, or `system`). Left out: localhost, 5432, the operating system's user, the password in the
 * environment's PGPASSWORD, a database called like the user, no TLS.
 *
 * Throws `endpoint.url_malformed`; its message never repeats a part of the URL.
 */
export function parseUrl(url: string): EndpointConfig {
  const match = /^postgres(?:ql)?:\/\/([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(url.trim());
  if (match === null) throw malformed("The URL does not begin with postgresql://.");
  const [, authority = "", path = "", query = ""] = match;
  const at = authority.lastIndexOf("@");
  const given = { ...readUser(authority.slice(0, Math.max(at, 0))), ...readHost(authority.slice(at + 1)) };
  const parameters = readParameters(query);
  const host = parameters.get("host") ?? given.host;
  if (host.includes(",")) throw malformed("The URL names several hosts.", "Name the primary server only.");
  const username = (parameters.get("user") ?? given.user) || systemUser();
  return {
    engine: "postgres",
    host: host || "localhost",
    port: readPort(parameters.get("port") ?? given.port),
    database: (parameters.get("dbname") ?? decode(path, "database name")) || username,
    username,
    password: (parameters.get("password") ?? given.password) || process.env["PGPASSWORD"] || undefined,
    ...readTls(parameters),
    settings: {},
  };
}

function readUser(text: string): { user: string; password: string } {
  const colon = text.indexOf(":");
  const end = colon < 0 ? text.length : colon;
  return {
    user: decode(text.slice(0, end), "user name"),
    password: decode(text.slice(end + 1), "password"),
  };
}

function readHost(text: string): { host: string; port: string } {
  const match = /^(?:\[([0-9a-f:.]+(?:%[\w.-]+)?)\]|([^:[\]]*))(?::(.*))?$/is.exec(text);
  if (match === null) {
    throw malformed("The host is not readable.", "Write an IPv6 address in brackets, as in [::1]:5432.");
  }
  return { host: match[1] ?? decode(match[2]!, "host"), port: match[3] ?? "" };
}

function readPort(text: string): number {
  if (text === "") return DEFAULT_PORT;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65535) {
    throw malformed(
      "The port is not a number from 1 to 65535.",
      "Percent-encode special characters of the password: / is %2F, ? is %3F, # is %23, @ is %40, : is %3A.",
    );
  }
  return port;
}

function readParameters(query: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of query.split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = equals < 0 ? pair : pair.slice(0, equals);
    if (!PARAMETERS.includes(name)) {
      const named = LIBPQ_PARAMETERS.has(name) ? `the parameter ${name}, which Tideway does not know` : "";
      throw malformed(
        `The URL has ${named || "a parameter that Tideway does not know"}.`,
        `Known are ${PARAMETERS.join(", ")}; a ? inside the password is written %3F.`,
      );
    }
    parameters.set(name, decode(equals < 0 ? "" : pair.slice(equals + 1), `parameter ${name}`));
  }
  return parameters;
}

function readTls(parameters: ReadonlyMap<string, string>): Pick<EndpointConfig, "sslMode" | "caCertificate"> {
  const file = parameters.get("sslrootcert") ?? "";
  const wanted = parameters.get("sslmode");
  if (wanted !== undefined && !Object.hasOwn(sslModes, wanted)) {
    throw malformed("The sslmode is unknown.", `Use one of: ${Object.keys(sslModes).join(", ")}.`);
  }
  const mode = wanted === undefined ? undefined : sslModes[wanted];
  if (file === "") return { sslMode: mode ?? "none", caCertificate: undefined };
  // As libpq: the system's authorities vouch for names only, and a CA that is given is used.
  if (file === "system") return { sslMode: mode ?? "verify-full", caCertificate: undefined };
  return {
    sslMode: mode === undefined || mode === "require" ? "verify-ca" : mode,
    caCertificate: readCa(file),
  };
}

function readCa(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unreadable";
    throw malformed(`The file that sslrootcert names cannot be read (${code}).`, "Correct the file's path.");
  }
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw malformed("The file that sslrootcert names holds no certificate.", "Name a PEM file of the CA.");
}

function decode(text: string, what: string): string {
  let decoded: string | undefined;
  try {
    decoded = decodeURIComponent(text);
  } catch {
    // A lone % or bytes that are not UTF-8.
  }
  if (decoded === undefined || decoded.includes("\0")) {
    throw malformed(`The ${what} is not percent-encoded correctly.`, "Write a % itself as %25.");
  }
  return decoded;
}

function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    throw malformed("The URL has no user name.");
  }
}

function malformed(message: string, remedy?: string): MigrationError {
  return new MigrationError("endpoint.url_malformed", {
    message,
    subject: "connection URL",
    ...(remedy === undefined ? {} : { remedy }),
  });
}
