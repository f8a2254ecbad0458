import type { EndpointConfig } from "../core/engine.ts";
import type { MigrationToAssess } from "../server/assess-migration.ts";
import {
  endpointOfUrl,
  mappingsDocument,
  refuseSameDatabase,
  type SpecSources,
  settingsDocument,
  taskId,
  usage,
} from "./migrate-spec.ts";
import { endpointLabel } from "./output.ts";
import type { PrepModeName, WhatToMove } from "./what-to-move.ts";

/** What `tideway assess` was asked for, as commander hands it over. */
export interface AssessOptions extends WhatToMove {
  readonly prepMode?: PrepModeName;
  readonly estimate: boolean;
  readonly watch: number;
  /** In GB. */
  readonly targetSpace?: number;
  readonly html?: string;
  readonly fix?: string;
  readonly json: boolean;
}

export interface AssessUrls {
  readonly source: string;
  readonly target: string | undefined;
}

/** The task that `tideway migrate` would run with the same words, as far as an assessment has to know it. */
export async function assessSpec(
  urls: AssessUrls,
  options: AssessOptions,
  sources: SpecSources,
): Promise<MigrationToAssess> {
  if (options.html !== undefined && options.html === options.fix) {
    throw usage("--html and --fix name the same file.", "Give each a file of its own.", options.html);
  }
  const source = endpointOfUrl(urls.source, "source", sources.registry);
  const target =
    urls.target === undefined ? undefined : endpointOfUrl(urls.target, "target", sources.registry);
  const tableMappings = await mappingsDocument(options, sources);
  if (target !== undefined) {
    refuseSameDatabase(source, target, { tableMappings, registry: sources.registry });
  }
  const endpoints = target === undefined ? [source] : [source, target];
  return {
    spec: {
      id: taskId(endpoints, options.type, tableMappings),
      name: wayOf(source, target),
      type: options.type,
      tableMappings,
      settings: await settingsDocument(options),
    },
    ...{ source, target },
    freeBytes: options.targetSpace === undefined ? undefined : options.targetSpace * 1e9,
    estimates: options.estimate ? { watchSeconds: options.watch } : undefined,
  };
}

function wayOf(source: EndpointConfig, target: EndpointConfig | undefined): string {
  return target === undefined ? endpointLabel(source) : `${endpointLabel(source)} → ${endpointLabel(target)}`;
}
