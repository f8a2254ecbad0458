import { stripVTControlCharacters } from "node:util";
import type { TextStream } from "./output.ts";
import { displayWidth } from "./text-width.ts";

const SYNC_BEGIN = "\x1b[?2026h";
const SYNC_END = "\x1b[?2026l";
const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
const CLEAR_TO_END_OF_LINE = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";

/**
 * Lines at the bottom of a terminal that are redrawn in place, with ordinary output scrolling above
 * them. Each drawing is one write: lines are overwritten, not erased first, so nothing flickers.
 */
export class LiveScreen {
  readonly #stream: TextStream;
  #drawn: readonly string[] = [];
  #hidden = false;
  readonly #showCursor = (): void => this.#restoreCursor();

  constructor(stream: TextStream) {
    this.#stream = stream;
  }

  get columns(): number {
    return this.#stream.columns ?? 80;
  }

  get rows(): number {
    return this.#stream.rows ?? 24;
  }

  /** Replaces the lines. None may be wider than the terminal. */
  draw(lines: readonly string[]): void {
    this.#write("", lines);
  }

  /** Writes complete lines above the live ones, which stay. */
  print(text: string): void {
    const above = text
      .split("\n")
      .slice(0, text.endsWith("\n") ? -1 : undefined)
      .map((line) => `${line}${CLEAR_TO_END_OF_LINE}\n`)
      .join("");
    this.#write(above, this.#drawn);
  }

  /** Leaves the last lines on the screen; what comes next goes below them. */
  close(): void {
    this.#drawn = [];
    this.#restoreCursor();
  }

  #write(above: string, lines: readonly string[]): void {
    const hide = this.#hidden ? "" : HIDE_CURSOR;
    if (!this.#hidden) {
      this.#hidden = true;
      // Whatever ends the process, the terminal gets its cursor back.
      process.once("exit", this.#showCursor);
    }
    const body = lines.map((line) => `${line}${CLEAR_TO_END_OF_LINE}\n`).join("");
    this.#stream.write(`${SYNC_BEGIN}${hide}${this.#toTop()}${above}${body}${CLEAR_BELOW}${SYNC_END}`);
    this.#drawn = lines;
  }

  /** A terminal made narrower since has wrapped the lines: then they take more rows than they are. */
  #toTop(): string {
    let rows = 0;
    for (const line of this.#drawn) {
      const width = displayWidth(stripVTControlCharacters(line));
      rows += Math.max(1, Math.ceil(width / this.columns));
    }
    return rows === 0 ? "\r" : `\r\x1b[${Math.min(rows, Math.max(1, this.rows - 1))}A`;
  }

  #restoreCursor(): void {
    if (!this.#hidden) return;
    this.#hidden = false;
    process.removeListener("exit", this.#showCursor);
    this.#stream.write(SHOW_CURSOR);
  }
}
