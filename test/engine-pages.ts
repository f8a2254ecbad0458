import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A page of docs/engines, whose tables say what the tests show. */
export class EnginePage {
  readonly engine: string;
  readonly #text: string;

  constructor(root: string, engine: string) {
    this.engine = engine;
    this.#text = readFileSync(join(root, "docs", "engines", `${engine}.md`), "utf8");
  }

  /** Rows of the table that follows a heading, as the texts of their cells. */
  tableAfter(heading: string): readonly (readonly string[])[] {
    const section = this.#text.slice(this.#text.indexOf(`\n${heading}\n`)).split(/^#+ .*$/m)[1] ?? "";
    const lines = section.split("\n").filter((line) => line.startsWith("|"));
    assert.ok(lines.length > 2, heading);
    return lines.slice(2).map((line) =>
      line
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim()),
    );
  }

  /** The statements that stand first behind a heading. */
  statementsAfter(heading: string): string {
    const section = this.#text.slice(this.#text.indexOf(`\n${heading}\n`));
    const statements = /```sql\n(.*?)```/s.exec(section)?.[1];
    assert.ok(section.startsWith("\n## ") && statements !== undefined, heading);
    return statements;
  }

  /** Names of test files in it, with an asterisk where several are meant. */
  get testNames(): ReadonlySet<string> {
    return new Set([...this.#text.matchAll(/`([^`\s]+\.test\.ts)`/g)].map(([, name = ""]) => name));
  }
}

export function enginePages(root: string): readonly EnginePage[] {
  const files = readdirSync(join(root, "docs", "engines")).filter((name) => name.endsWith(".md"));
  return files.map((name) => new EnginePage(root, name.slice(0, -3)));
}
