import { userInfo } from "node:os";
import type { EndpointConfig, SslMode } from "../../core/engine.ts";
import {
  malformedUrl,
  readCertificate,
  readPort,
  splitUrl,
  unknownParameter,
} from "../shared/connection-url.ts";

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
  const text = url.trim();
  const scheme = /^postgres(?:ql)?:\/\//.exec(text);
  if (scheme === null) throw malformedUrl("The URL does not begin with postgresql://.");
  const given = splitUrl(text.slice(scheme[0].length), { defaultPort: DEFAULT_PORT, nameOf: parameterName });
  const { parameters } = given;
  const host = parameters.get("host") ?? given.host;
  if (host.includes(",")) throw malformedUrl("The URL names several hosts.", "Name the primary server only.");
  const username = (parameters.get("user") ?? given.user) || systemUser();
  return {
    engine: "postgres",
    host: host || "localhost",
    port: readPort(parameters.get("port") ?? given.port, DEFAULT_PORT),
    database: (parameters.get("dbname") ?? given.database) || username,
    username,
    password: (parameters.get("password") ?? given.password) || process.env["PGPASSWORD"] || undefined,
    ...readTls(parameters),
    settings: {},
  };
}

function parameterName(written: string): string {
  if (PARAMETERS.includes(written)) return written;
  const named = LIBPQ_PARAMETERS.has(written)
    ? `the parameter ${written}, which Tideway does not know`
    : undefined;
  throw unknownParameter(PARAMETERS.join(", "), named);
}

function readTls(parameters: ReadonlyMap<string, string>): Pick<EndpointConfig, "sslMode" | "caCertificate"> {
  const file = parameters.get("sslrootcert") ?? "";
  const wanted = parameters.get("sslmode");
  if (wanted !== undefined && !Object.hasOwn(sslModes, wanted)) {
    throw malformedUrl("The sslmode is unknown.", `Use one of: ${Object.keys(sslModes).join(", ")}.`);
  }
  const mode = wanted === undefined ? undefined : sslModes[wanted];
  if (file === "") return { sslMode: mode ?? "none", caCertificate: undefined };
  // As libpq: the system's authorities vouch for names only, and a CA that is given is used.
  if (file === "system") return { sslMode: mode ?? "verify-full", caCertificate: undefined };
  return {
    sslMode: mode === undefined || mode === "require" ? "verify-ca" : mode,
    caCertificate: readCertificate(file, "sslrootcert"),
  };
}

function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    throw malformedUrl("The URL has no user name.");
  }
}
