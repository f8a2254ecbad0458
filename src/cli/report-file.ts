import { closeSync, fsyncSync, openSync, rmSync, writeSync } from "node:fs";
import { putInPlace } from "../base/whole-file.ts";
import type { MigrationError } from "../core/error.ts";
import { usage } from "./migrate-spec.ts";

/**
 * A file that a command is to leave. It is opened before the work is begun, which is not to end in a path that cannot be
 * written; it is written beside its place, and put there when it is whole. Disposed before that, it leaves nothing behind.
 * Only its owner may read it: keys are values of rows.
 */
export class ReportFile implements Disposable {
  readonly #path: string;
  readonly #option: string;
  readonly #file: number;
  #isOpen = true;

  /** `option`: where the path was given, such as --report. Throws `usage.invalid` where nothing can be written. */
  constructor(path: string, option: string) {
    this.#path = path;
    this.#option = option;
    try {
      rmSync(this.#draft, { force: true });
      this.#file = openSync(this.#draft, "wx", 0o600);
    } catch (error) {
      throw this.#refused(error);
    }
  }

  write(text: string | Uint8Array): void {
    const bytes = typeof text === "string" ? Buffer.from(text) : text;
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
    } catch (error) {
      throw this.#refused(error);
    }
  }

  /** `text`: what is still to be written. */
  end(text = ""): void {
    this.write(text);
    try {
      fsyncSync(this.#file);
      putInPlace(this.#draft, this.#path);
    } catch (error) {
      throw this.#refused(error);
    }
    this.#close();
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#close();
    rmSync(this.#draft, { force: true });
  }

  get #draft(): string {
    return `${this.#path}.new`;
  }

  #refused(error: unknown): MigrationError {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    return usage(
      `The file of ${this.#option} cannot be written (${code}).`,
      "Give the path of a file in a directory that can be written.",
      this.#path,
    );
  }

  #close(): void {
    this.#isOpen = false;
    closeSync(this.#file);
  }
}
