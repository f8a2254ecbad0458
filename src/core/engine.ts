import type { Leftover } from "./leftover.ts";
import type { Source } from "./source.ts";
import type { Target } from "./target.ts";

/** One kind of database, as the rest of the program sees it. The only thing an engine folder exports. */
export interface Engine {
  /** DMS's engine name: "postgres". */
  readonly name: string;
  readonly displayName: string;
  /** DMS engine names that mean this engine too, with what DMS displays for them: "aurora-postgresql". */
  readonly aliases: readonly EngineAlias[];
  /** URL schemes: "postgresql", "postgres". */
  readonly urlSchemes: readonly string[];
  readonly defaultPort: number;
  /**
   * What a connection reaches: one database, which every endpoint names, or the whole server, whose databases are
   * the schemas, and of which an endpoint may name one.
   */
  readonly reaches: "database" | "server";
  readonly capabilities: {
    readonly source: boolean;
    readonly target: boolean;
    readonly cdc: boolean;
    /** A place in its log can be found by a time; see Source.positionAtTime. */
    readonly startsAtTime: boolean;
  };
  /** The member of CreateEndpoint's request that holds this engine's settings: "PostgreSQLSettings". */
  readonly settingsMember: string;
  readonly endpointSettings: readonly EndpointSetting[];
  /**
   * Splits a connection URL; `role` is what the endpoint is going to be, where that is known. Throws
   * `endpoint.url_malformed`; the message never repeats the URL.
   */
  parseUrl(url: string, role?: EndpointRole): EndpointConfig;
  /**
   * Loads the program of both sides, of which else each part is loaded when it is first needed: what a task does not
   * need takes longer to load than to connect. For a process that waits for tasks.
   */
  load(): Promise<void>;
  /** Connects, authenticates, and says who answered. Throws a MigrationError that names the remedy. */
  testConnection(
    endpoint: EndpointConfig,
    role: EndpointRole,
    signal: AbortSignal,
  ): Promise<{ readonly serverVersion: string }>;
  openSource(endpoint: EndpointConfig, signal: AbortSignal): Promise<Source>;
  openTarget(endpoint: EndpointConfig, signal: AbortSignal): Promise<Target>;
  /** What tasks have left in a database, on whichever side; in an order in which it can be removed. */
  findLeftovers(endpoint: EndpointConfig, signal: AbortSignal): Promise<readonly Leftover[]>;
  removeLeftover(endpoint: EndpointConfig, leftover: Leftover, signal: AbortSignal): Promise<void>;
}

export interface EngineAlias {
  readonly name: string;
  readonly displayName: string;
}

export interface EndpointSetting {
  readonly name: string;
  readonly type: "string" | "integer" | "boolean" | "enum";
  readonly values?: readonly string[];
  readonly default?: string | number | boolean;
  readonly min?: number;
  readonly max?: number;
  readonly units?: string;
  readonly sensitive?: boolean;
  readonly appliesTo: "source" | "target" | "both";
  /** False: kept and returned for compatibility, without effect in Tideway; `describe` says why. */
  readonly effective: boolean;
  readonly describe: string;
}

/** What an endpoint is used as. */
export type EndpointRole = "source" | "target";

export type SslMode = "none" | "require" | "verify-ca" | "verify-full";

export interface EndpointConfig {
  /** The engine's name or an alias of it. */
  readonly engine: string;
  /** A host name, an address, or an absolute path: of a unix socket or its directory, as the engine names them. */
  readonly host: string;
  readonly port: number;
  /** Empty where the endpoint names none, which an engine that reaches the whole server allows. */
  readonly database: string;
  readonly username: string;
  readonly password: string | undefined;
  readonly sslMode: SslMode;
  /** PEM of the CA(s) to trust; undefined for the system's. */
  readonly caCertificate: string | undefined;
  /** Engine settings by their DMS names, checked against endpointSettings. */
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  /** Of a target that is read as a source is: errors name it as what it is. */
  readonly readAs?: "target";
}

export interface EngineRegistry {
  readonly engines: readonly Engine[];
  /** By name, alias or URL scheme. Throws `engine.unknown`. */
  find(name: string): Engine;
}
