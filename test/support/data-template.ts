import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";

/*
 * What new servers of one version begin with is the same for all of them, and takes seconds to make. The test command
 * names a directory in which the first server that needs it leaves it for the others to copy.
 */

/** The variable that holds the directory's path. Without it every server makes its own. */
export const TEMPLATES = "TIDEWAY_TEST_TEMPLATES";

export interface Template {
  /** Tells it apart from other templates. */
  readonly name: string;
  /** Makes the directory, at a path where nothing is. Throws when it cannot. */
  readonly make: (path: string) => Promise<void>;
  /** Gives a copy what no two servers may have in common. */
  readonly renew: (path: string) => Promise<void>;
}

/** Makes a directory, where nothing is, as the template says, or copies one that was made so. */
export async function fromTemplate(path: string, { renew, ...template }: Template): Promise<void> {
  const made = await sharedDirectory(template);
  if (made === undefined) return template.make(path);
  copyTree(made, path);
  await renew(path);
}

/**
 * The path of a directory that is made once for all, which nobody may change; undefined when there is no place for
 * it. Of several that make it at the same time one stays.
 */
export async function sharedDirectory(
  template: Pick<Template, "name" | "make">,
): Promise<string | undefined> {
  const templates = process.env[TEMPLATES];
  if (templates === undefined) return undefined;
  const made = join(templates, template.name);
  if (existsSync(made)) return made;
  const workshop = await mkdtemp(join(templates, "making-"));
  // Servers that run as another user must be able to pass through.
  await chmod(workshop, 0o755);
  await template.make(join(workshop, template.name));
  try {
    await rename(join(workshop, template.name), made);
  } catch (error) {
    if (!existsSync(made)) throw error;
  } finally {
    await rm(workshop, { recursive: true });
  }
  return made;
}

/** A copy with owners and rights, which takes no room on file systems that can share what is the same. */
export function copyTree(from: string, to: string): void {
  const copied = spawnSync("cp", ["-a", "--reflink=auto", from, to], { encoding: "utf8" });
  if (copied.status !== 0) throw new Error(`cp failed: ${copied.stderr}`);
}
