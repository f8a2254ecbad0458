import type { EndpointConfig, EndpointRole, EndpointSetting, SslMode } from "../../core/engine.ts";
import {
  malformedUrl,
  readCertificate,
  readPort,
  splitUrl,
  unknownParameter,
} from "../shared/connection-url.ts";
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
  const text = url.trim();
  const scheme = /^(mysql|mariadb):\/\//i.exec(text);
  if (scheme === null) throw malformedUrl("The URL does not begin with mysql:// or mariadb://.");
  const { user, password, host, port, database, parameters } = splitUrl(text.slice(scheme[0].length), {
    defaultPort: DEFAULT_PORT,
    nameOf: parameterName,
  });
  if (user === "") throw malformedUrl("The URL has no user name.");
  const socket = parameters.get("socket") ?? "";
  if (socket !== "" && !socket.startsWith("/")) throw malformedUrl("The socket is not an absolute path.");
  return {
    engine: scheme[1]!.toLowerCase(),
    host: socket || host || "localhost",
    port: readPort(port, DEFAULT_PORT),
    database,
    username: user,
    password: password || process.env["MYSQL_PWD"] || undefined,
    ...readTls(parameters),
    settings: readSettings(parameters, role === "target" && database !== ""),
  };
}

function parameterName(written: string): string {
  const wanted = written.toLowerCase();
  const name = [...PARAMETERS, ...endpointSettings.map((one) => one.name)].find(
    (one) => one.toLowerCase() === wanted,
  );
  if (name === undefined) throw unknownParameter(`${PARAMETERS.join(", ")} and the endpoint settings`);
  return name;
}

function readTls(parameters: ReadonlyMap<string, string>): Pick<EndpointConfig, "sslMode" | "caCertificate"> {
  const file = parameters.get("ssl-ca") ?? parameters.get("sslrootcert") ?? "";
  const wanted = (parameters.get("ssl-mode") ?? parameters.get("sslmode"))?.toLowerCase();
  if (wanted !== undefined && !Object.hasOwn(sslModes, wanted)) {
    throw malformedUrl(
      "The ssl-mode is unknown.",
      "Use one of: DISABLED, REQUIRED, VERIFY_CA, VERIFY_IDENTITY.",
    );
  }
  const mode = wanted === undefined ? undefined : sslModes[wanted];
  if (file === "") return { sslMode: mode ?? "none", caCertificate: undefined };
  // A CA that is given is used.
  return {
    sslMode: mode === "verify-full" ? mode : "verify-ca",
    caCertificate: readCertificate(file, "ssl-ca"),
  };
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
      throw malformedUrl(`The parameter ${name} is neither true nor false.`);
    case "integer": {
      const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      if (number >= (min ?? 0) && number <= (max ?? Number.MAX_SAFE_INTEGER)) return number;
      throw malformedUrl(`The parameter ${name} is not a number in its range.`);
    }
    case "enum": {
      const found = values?.find((one) => one.toLowerCase() === text.toLowerCase());
      if (found !== undefined) return found;
      throw malformedUrl(`The parameter ${name} is none of: ${values?.join(", ")}.`);
    }
    case "string":
      return text;
  }
}
