import { readFileSync } from "node:fs";
import { MigrationError } from "../../core/error.ts";

/** The parts of a connection URL, decoded; what is left out is empty. */
export interface UrlParts {
  readonly user: string;
  readonly password: string;
  readonly host: string;
  /** As it is written; see readPort(). */
  readonly port: string;
  readonly database: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * Splits what follows the scheme of a connection URL, `user:password@host:port/database?name=value&name=value`,
 * every part percent-encoded where it needs to be, an IPv6 address in brackets. `nameOf` gives a parameter's name as
 * the engine knows it, or throws unknownParameter().
 *
 * Here and below `endpoint.url_malformed` is thrown, whose message never repeats a part of the URL: it may be a piece
 * of the password.
 */
export function splitUrl(
  text: string,
  { defaultPort, nameOf }: { readonly defaultPort: number; readonly nameOf: (written: string) => string },
): UrlParts {
  const [, authority = "", path = "", query = ""] = /^([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(text)!;
  const at = authority.lastIndexOf("@");
  return {
    ...readUser(authority.slice(0, Math.max(at, 0))),
    ...readHost(authority.slice(at + 1), defaultPort),
    parameters: readParameters(query, nameOf),
    database: decode(path, "database name"),
  };
}

/** A port as it is written, or the default for an empty text. */
export function readPort(text: string, defaultPort: number): number {
  if (text === "") return defaultPort;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65535) {
    throw malformedUrl(
      "The port is not a number from 1 to 65535.",
      "Percent-encode special characters of the password: / is %2F, ? is %3F, # is %23, @ is %40, : is %3A.",
    );
  }
  return port;
}

/** The CA certificate in the PEM file that a parameter names. */
export function readCertificate(file: string, parameter: string): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unreadable";
    throw malformedUrl(
      `The file that ${parameter} names cannot be read (${code}).`,
      "Correct the file's path.",
    );
  }
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw malformedUrl(`The file that ${parameter} names holds no certificate.`, "Name a PEM file of the CA.");
}

/** `known`: the names that would be taken. */
export function unknownParameter(
  known: string,
  what = "a parameter that Tideway does not know",
): MigrationError {
  return malformedUrl(`The URL has ${what}.`, `Known are ${known}; a ? inside the password is written %3F.`);
}

export function malformedUrl(message: string, remedy?: string): MigrationError {
  return new MigrationError("endpoint.url_malformed", {
    message,
    subject: "connection URL",
    ...(remedy === undefined ? {} : { remedy }),
  });
}

function readUser(text: string): Pick<UrlParts, "user" | "password"> {
  const colon = text.indexOf(":");
  const end = colon < 0 ? text.length : colon;
  return {
    user: decode(text.slice(0, end), "user name"),
    password: decode(text.slice(end + 1), "password"),
  };
}

function readHost(text: string, defaultPort: number): Pick<UrlParts, "host" | "port"> {
  const match = /^(?:\[([0-9a-f:.]+(?:%[\w.-]+)?)\]|([^:[\]]*))(?::(.*))?$/is.exec(text);
  if (match === null) {
    throw malformedUrl(
      "The host is not readable.",
      `Write an IPv6 address in brackets, as in [::1]:${defaultPort}.`,
    );
  }
  return { host: match[1] ?? decode(match[2]!, "host"), port: match[3] ?? "" };
}

function readParameters(query: string, nameOf: (written: string) => string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of query.split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = nameOf(equals < 0 ? pair : pair.slice(0, equals));
    parameters.set(name, decode(equals < 0 ? "" : pair.slice(equals + 1), `parameter ${name}`));
  }
  return parameters;
}

function decode(text: string, what: string): string {
  let decoded: string | undefined;
  try {
    decoded = decodeURIComponent(text);
  } catch {
    // A lone % or bytes that are not UTF-8.
  }
  if (decoded === undefined || decoded.includes("\0")) {
    throw malformedUrl(`The ${what} is not percent-encoded correctly.`, "Write a % itself as %25.");
  }
  return decoded;
}
