import { invalidValue } from "./faults.ts";

/**
 * Versions of AWS's replication engine that clients may name. Tideway has one engine; the number is
 * kept and returned, so that configurations written for AWS work.
 */
const versions = ["3.4.7", "3.5.1", "3.5.2", "3.5.3", "3.5.4", "3.6.0", "3.6.1"] as const;

export const DEFAULT_ENGINE_VERSION = "3.6.1";

export const engineVersions: readonly string[] = versions;

export function checkEngineVersion(version: string): string {
  if (engineVersions.includes(version)) return version;
  throw invalidValue(
    `No replication engine found with version: ${version}. Versions are: ${versions.join(", ")}.`,
  );
}

/** Whether going from one to the other changes the first or the second number. */
export function isMajorChange(from: string, to: string): boolean {
  const major = (version: string): string => version.split(".").slice(0, 2).join(".");
  return major(from) !== major(to);
}

/** By their places in the list. */
export function isOlderEngine(version: string, than: string): boolean {
  return engineVersions.indexOf(version) < engineVersions.indexOf(than);
}
