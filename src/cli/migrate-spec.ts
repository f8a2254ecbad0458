import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { EndpointConfig, Engine, EngineRegistry } from "../core/engine.ts";
import { MigrationError } from "../core/error.ts";
import type { TaskSpec } from "../task/task.ts";
import { endpointLabel } from "./output.ts";
import { type PrepModeName, prepModes, type WhatToMove } from "./what-to-move.ts";

/** What `tideway migrate` was asked for, as commander hands it over. */
export interface MigrateOptions extends WhatToMove {
  readonly prepMode?: PrepModeName;
  readonly dataDir: string;
  readonly cdcStartPosition?: string;
  readonly cdcStopPosition?: string;
  readonly validate: boolean;
  readonly untilCaughtUp: boolean;
  readonly fresh: boolean;
  readonly retryErrors: boolean;
  readonly end: boolean;
  readonly json: boolean;
  readonly verbose: boolean;
}

export interface SpecSources {
  readonly registry: EngineRegistry;
  /** Selection rules for --include and --exclude, as a table mappings document. */
  readonly mappingsFromPatterns: (include: readonly string[], exclude: readonly string[]) => string;
}

/**
 * The task that a command line describes. The same source, target, type and mappings give the same
 * id, which is how the same command finds its earlier run. `start` is left at start-replication.
 */
export async function migrateSpec(
  urls: { readonly source: string; readonly target: string },
  options: MigrateOptions,
  sources: SpecSources,
): Promise<TaskSpec> {
  checkOptions(options);
  const source = endpointOfUrl(urls.source, "source", sources.registry);
  const target = endpointOfUrl(urls.target, "target", sources.registry);
  const tableMappings = await mappingsDocument(options, sources);
  refuseSameDatabase(source, target, { tableMappings, registry: sources.registry });
  return {
    id: taskId([source, target], options.type, tableMappings),
    name: `${endpointLabel(source)} → ${endpointLabel(target)}`,
    type: options.type,
    source,
    target,
    tableMappings,
    settings: await settingsDocument(options),
    start: "start-replication",
    startId: undefined,
    cdcStartPosition: options.cdcStartPosition,
    cdcStopPosition: options.cdcStopPosition,
    untilCaughtUp: options.untilCaughtUp,
    retry: options.retryErrors ? { number: 1, tables: undefined } : undefined,
  };
}

/** What is to be moved, as a document; of options that are at odds nothing is read. */
export async function mappingsDocument(
  { mappings, include, exclude }: Pick<WhatToMove, "mappings" | "include" | "exclude">,
  { mappingsFromPatterns }: Pick<SpecSources, "mappingsFromPatterns">,
): Promise<string> {
  if (mappings === undefined) return mappingsFromPatterns(include, exclude);
  if (include.length + exclude.length === 0) return await documentOf(mappings, "--mappings");
  throw usage(
    "--mappings and --include/--exclude exclude each other.",
    "Put the patterns into the mappings.",
  );
}

function checkOptions(options: MigrateOptions): void {
  if (options.fresh && options.end) {
    throw usage("--fresh and --end exclude each other.", "Use --end, then start again without it.");
  }
  if (options.retryErrors && (options.fresh || options.end)) {
    throw usage(
      "--retry-errors goes on with an earlier run, which --fresh and --end give up.",
      "Leave the other option out.",
    );
  }
  if (options.type === "full-load") {
    const name = options.untilCaughtUp ? "--until-caught-up" : cdcPositionOption(options);
    if (name !== undefined) {
      throw usage(
        `${name} needs a task that replicates changes.`,
        "Add --type full-load-and-cdc or --type cdc.",
      );
    }
  }
  if (options.type === "full-load-and-cdc" && options.cdcStartPosition !== undefined) {
    throw usage(
      "--cdc-start-position is for --type cdc: a full load knows by itself where its changes start.",
      "Leave it out, or use --type cdc.",
    );
  }
}

function cdcPositionOption(options: MigrateOptions): string | undefined {
  if (options.cdcStartPosition !== undefined) return "--cdc-start-position";
  return options.cdcStopPosition === undefined ? undefined : "--cdc-stop-position";
}

/** The engine that a connection URL is for. Throws `endpoint.url_malformed`, `engine.unknown`. */
export function engineOf(url: string, what: string, registry: EngineRegistry): Engine {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1];
  if (scheme === undefined) {
    throw new MigrationError("endpoint.url_malformed", { message: `The ${what} is not a connection URL.` });
  }
  return registry.find(scheme.toLowerCase());
}

/** A password may also come from the environment, where other users of the machine do not see it. */
export function endpointOfUrl(
  url: string,
  side: "source" | "target",
  registry: EngineRegistry,
): EndpointConfig {
  const engine = engineOf(url, side, registry);
  if (!engine.capabilities[side]) {
    throw usage(`${engine.displayName} cannot be a ${side}.`, "Use a database of another kind on that side.");
  }
  const config = engine.parseUrl(url, side);
  const password = process.env[side === "source" ? "TIDEWAY_SOURCE_PASSWORD" : "TIDEWAY_TARGET_PASSWORD"];
  return config.password === undefined && password !== undefined ? { ...config, password } : config;
}

interface Meeting {
  readonly tableMappings: string;
  readonly registry: EngineRegistry;
}

/** Loading a database into itself would drop the tables that are to be read, and what is compared with itself is equal. */
export function refuseSameDatabase(
  source: EndpointConfig,
  target: EndpointConfig,
  { tableMappings, registry }: Meeting,
): void {
  const { reaches } = registry.find(source.engine);
  const sameServer = source.host === target.host && source.port === target.port;
  const same = sameServer && (reaches === "server" || source.database === target.database);
  if (!same || tableMappings.includes('"transformation"')) return;
  throw usage(
    `Source and target are the same ${reaches}, ${endpointLabel(source)}.`,
    "Correct one of the URLs, or rename the schema with a transformation rule in --mappings.",
  );
}

/** Of what the endpoints are and of what is moved between them. */
export function taskId(endpoints: readonly EndpointConfig[], type: string, tableMappings: string): string {
  const hash = createHash("sha256");
  for (const { engine, host, port, database, username } of endpoints) {
    hash.update(JSON.stringify([engine, host, port, database, username]));
  }
  hash.update(JSON.stringify([type, tableMappings]));
  return `migrate_${hash.digest("hex").slice(0, 12)}`;
}

export async function settingsDocument(
  options: Pick<WhatToMove, "settings" | "passOver"> & Partial<Pick<MigrateOptions, "prepMode" | "validate">>,
): Promise<string> {
  const { prepMode, validate = false, passOver = [] } = options;
  const text = options.settings === undefined ? "{}" : await documentOf(options.settings, "--settings");
  const settings = [
    ...(prepMode === undefined
      ? []
      : [["FullLoadSettings", { TargetTablePrepMode: prepModes[prepMode] }] as const]),
    ...(validate ? [["ValidationSettings", { EnableValidation: true }] as const] : []),
  ];
  if (settings.length === 0 && passOver.length === 0) return text;
  const document = parsedSettings(text);
  if (passOver.length > 0) addPassedOver(document, passOver);
  for (const [section, members] of settings) {
    const given = document[section];
    document[section] = { ...(typeof given === "object" && given !== null ? given : {}), ...members };
  }
  return JSON.stringify(document);
}

/** Beside those of the document; what is not what it should be there is left for the settings' check to refuse. */
function addPassedOver(document: Record<string, unknown>, passOver: readonly string[]): void {
  const given = document["TidewaySettings"] ?? {};
  if (typeof given !== "object" || Array.isArray(given)) return;
  const named = (given as { readonly AssessmentPassOver?: unknown }).AssessmentPassOver ?? [];
  if (!Array.isArray(named)) return;
  document["TidewaySettings"] = { ...given, AssessmentPassOver: [...named, ...passOver] };
}

function parsedSettings(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
  } catch {
    // Reported below; the parser's own message would repeat parts of the document.
  }
  throw new MigrationError("settings.malformed", { message: "The task settings are not a JSON object." });
}

export async function documentOf(path: string, option: string): Promise<string> {
  try {
    return await readFile(path === "-" ? "/dev/stdin" : path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    throw usage(`The file of ${option} cannot be read (${code}).`, "Give the path of a JSON document.", path);
  }
}

export function usage(message: string, remedy: string, subject?: string): MigrationError {
  return new MigrationError("usage.invalid", {
    message,
    remedy,
    ...(subject === undefined ? {} : { subject }),
  });
}
