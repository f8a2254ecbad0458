import { readFileSync } from "node:fs";
import type { EndpointConfig, EndpointRole, EndpointSetting, SslMode } from "../../core/engine.ts";
import { MigrationError } from "../../core/error.ts";
import { endpointSettings } from "./settings.ts";

export const DEFAULT_PORT = 3306;

/** The modes of MySQL's clients, and libpq's words for them. Those that let the server choose take TLS. */
const sslModes: Readonly<Record<string, SslMode>> = {
  disabled: "none",
  disable: "none",
  preferred: "require",
  prefer: "require",
  required: "require",
  require: "require",
  verify_ca: "verify-ca",
  "verify-ca": "verify-ca",
  verify_identity: "verify-full",
  "verify-full": "verify-full",
};

const PARAMETERS = ["socket", "ssl-mode", "sslmode", "ssl-ca", "sslrootcert"];

/**
 * Splits `mysql://user:password@host:port/database?parameter=value` (or `mariadb://`), every part percent-encoded
 * where it needs to be. The host may be an address ([::1] for IPv6). Without a database the whole server is meant,
 * whose databases are the schemas; a target that names one gets everything there (TargetDbType). Parameters: socket
 * (the path of a unix socket), ssl-mode, ssl-ca (the file of a CA, read now) and every endpoint setting. Left out:
 * localhost, 3306, the password in the environment's MYSQL_PWD, no TLS.
 *
 * Throws `endpoint.url_malformed`; its message never repeats a part of the URL.
 */
export function parseUrl(url: string, role?: EndpointRole): EndpointConfig {
  const match = /^(mysql|mariadb):\/\/([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/is.exec(url.trim());
  if (match === null) throw malformed("The URL does not begin with mysql:// or mariadb://.");
  const [, scheme = "", authority = "", path = "", query = ""] = match;
  const at = authority.lastIndexOf("@");
  const { user, password } = readUser(authority.slice(0, Math.max(at, 0)));
  const { host, port } = readHost(authority.slice(at + 1));
  const parameters = readParameters(query);
  if (user === "") throw malformed("The URL has no user name.");
  const socket = parameters.get("socket") ?? "";
  if (socket !== "" && !socket.startsWith("/")) throw malformed("The socket is not an absolute path.");
  const database = decode(path, "database name");
  return {
    engine: scheme.toLowerCase(),
    host: socket || host || "localhost",
    port: readPort(port),
    database,
    username: user,
    password: password || process.env["MYSQL_PWD"] || undefined,
    ...readTls(parameters),
    settings: readSettings(parameters, role === "target" && database !== ""),
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
    throw malformed("The host is not readable.", "Write an IPv6 address in brackets, as in [::1]:3306.");
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
    const name = canonicalName(equals < 0 ? pair : pair.slice(0, equals));
    if (name === undefined) {
      throw malformed(
        "The URL has a parameter that Tideway does not know.",
        `Known are ${PARAMETERS.join(", ")} and the endpoint settings; a ? inside the password is written %3F.`,
      );
    }
    parameters.set(name, decode(equals < 0 ? "" : pair.slice(equals + 1), `parameter ${name}`));
  }
  return parameters;
}

function canonicalName(name: string): string | undefined {
  const wanted = name.toLowerCase();
  if (PARAMETERS.includes(wanted)) return wanted;
  return endpointSettings.find((one) => one.name.toLowerCase() === wanted)?.name;
}

function readTls(parameters: ReadonlyMap<string, string>): Pick<EndpointConfig, "sslMode" | "caCertificate"> {
  const file = parameters.get("ssl-ca") ?? parameters.get("sslrootcert") ?? "";
  const wanted = (parameters.get("ssl-mode") ?? parameters.get("sslmode"))?.toLowerCase();
  if (wanted !== undefined && !Object.hasOwn(sslModes, wanted)) {
    throw malformed(
      "The ssl-mode is unknown.",
      "Use one of: DISABLED, REQUIRED, VERIFY_CA, VERIFY_IDENTITY.",
    );
  }
  const mode = wanted === undefined ? undefined : sslModes[wanted];
  if (file === "") return { sslMode: mode ?? "none", caCertificate: undefined };
  // A CA that is given is used.
  return { sslMode: mode === "verify-full" ? mode : "verify-ca", caCertificate: readCa(file) };
}

function readCa(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unreadable";
    throw malformed(`The file that ssl-ca names cannot be read (${code}).`, "Correct the file's path.");
  }
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw malformed("The file that ssl-ca names holds no certificate.", "Name a PEM file of the CA.");
}

function readSettings(
  parameters: ReadonlyMap<string, string>,
  intoOne: boolean,
): Readonly<Record<string, string | number | boolean>> {
  const settings: Record<string, string | number | boolean> = intoOne
    ? { TargetDbType: "specific-database" }
    : {};
  for (const setting of endpointSettings) {
    const text = parameters.get(setting.name);
    if (text !== undefined) settings[setting.name] = readSetting(setting, text);
  }
  return settings;
}

function readSetting(
  { name, type, values, min, max }: EndpointSetting,
  text: string,
): string | number | boolean {
  switch (type) {
    case "boolean":
      if (text === "true" || text === "false") return text === "true";
      throw malformed(`The parameter ${name} is neither true nor false.`);
    case "integer": {
      const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      if (number >= (min ?? 0) && number <= (max ?? Number.MAX_SAFE_INTEGER)) return number;
      throw malformed(`The parameter ${name} is not a number in its range.`);
    }
    case "enum": {
      const found = values?.find((one) => one.toLowerCase() === text.toLowerCase());
      if (found !== undefined) return found;
      throw malformed(`The parameter ${name} is none of: ${values?.join(", ")}.`);
    }
    case "string":
      return text;
  }
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

function malformed(message: string, remedy?: string): MigrationError {
  return new MigrationError("endpoint.url_malformed", {
    message,
    subject: "connection URL",
    ...(remedy === undefined ? {} : { remedy }),
  });
}
