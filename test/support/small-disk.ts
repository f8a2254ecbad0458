import { spawnSync } from "node:child_process";
import { appendFile, mkdtemp, rm, stat, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A small file system in memory, gone when disposed. */
export class SmallDisk implements AsyncDisposable {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** `size` as mount takes it: "64m". Undefined when this user may not mount. */
  static async mount(size: string): Promise<SmallDisk | undefined> {
    const directory = await mkdtemp(join(tmpdir(), "tideway-disk-"));
    if (spawnSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", directory]).status === 0) {
      return new SmallDisk(directory);
    }
    await rm(directory, { recursive: true });
    return undefined;
  }

  /** Takes what is free but so many bytes; what is written beyond those finds no space. */
  async fill({ leave = 0 } = {}): Promise<void> {
    for (let size = 1 << 20; size >= 1 << 12; ) {
      await appendFile(this.#filler, Buffer.alloc(size)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOSPC") throw error;
        size /= 2;
      });
    }
    if (leave > 0) await truncate(this.#filler, (await stat(this.#filler)).size - leave);
  }

  /** Gives back what fill() has taken. */
  async free(): Promise<void> {
    await rm(this.#filler);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    spawnSync("umount", ["--lazy", this.directory]);
    await rm(this.directory, { recursive: true, force: true });
  }

  get #filler(): string {
    return join(this.directory, "filler");
  }
}

export const CANNOT_MOUNT = "needs the right to mount a small file system";
