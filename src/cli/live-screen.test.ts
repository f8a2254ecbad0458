import assert from "node:assert/strict";
import { test } from "node:test";
import { LiveScreen } from "./live-screen.ts";

/** A terminal just good enough for what LiveScreen sends: it ends with the lines a person would see. */
class Terminal {
  readonly isTTY = true;
  columns: number;
  rows: number;
  readonly lines: string[] = [""];
  cursorHidden = false;
  writes = 0;
  #row = 0;

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
  }

  write(text: string): void {
    this.writes++;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the terminal's own language
    for (const [token] of text.matchAll(/\x1b\[[?0-9;]*[a-zA-Z]|\n|\r|[^\x1b\n\r]+/g)) this.#take(token);
  }

  #take(token: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the terminal's own language
    const up = /^\x1b\[(\d+)A$/.exec(token);
    if (up !== null) this.#row = Math.max(0, this.lines.length - this.rows, this.#row - Number(up[1]));
    else if (token === "\n") {
      this.#row++;
      if (this.#row === this.lines.length) this.lines.push("");
    } else if (token === "\x1b[J") this.lines.splice(this.#row, Infinity, "");
    else if (token.endsWith("25l") || token.endsWith("25h")) this.cursorHidden = token.endsWith("l");
    else if (!token.startsWith("\x1b") && token !== "\r") this.lines[this.#row] = token;
  }
}

test("lines are redrawn in place, fewer ones leave nothing of the others", () => {
  const terminal = new Terminal(80, 24);
  const screen = new LiveScreen(terminal);
  screen.draw(["one", "two", "three"]);
  screen.draw(["1", "2"]);
  assert.deepEqual(terminal.lines, ["1", "2", ""]);
  assert.equal(terminal.writes, 2);
  screen.close();
});

test("what is printed scrolls above the live lines", () => {
  const terminal = new Terminal(80, 24);
  const screen = new LiveScreen(terminal);
  screen.draw(["live"]);
  screen.print("note 1\nnote 2\n");
  screen.draw(["live again"]);
  screen.print("note 3\n");
  assert.deepEqual(terminal.lines, ["note 1", "note 2", "note 3", "live again", ""]);
  screen.close();
});

test("the cursor is hidden while lines are live and comes back", () => {
  const terminal = new Terminal(80, 24);
  const screen = new LiveScreen(terminal);
  screen.draw(["x"]);
  assert.equal(terminal.cursorHidden, true);
  screen.close();
  assert.equal(terminal.cursorHidden, false);
});

test("a frame as high as the terminal stays in place", () => {
  const terminal = new Terminal(80, 5);
  const screen = new LiveScreen(terminal);
  for (let i = 0; i < 3; i++) screen.draw(["a", "b", "c", `${i}`]);
  assert.deepEqual(terminal.lines, ["a", "b", "c", "2", ""]);
  screen.close();
});
