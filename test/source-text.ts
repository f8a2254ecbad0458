import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix, relative, sep } from "node:path";

/** A TypeScript file of the project as the architecture rules see it. */
export interface SourceFile {
  /** Relative to the project, with slashes. */
  readonly path: string;
  readonly text: string;
  /** The text with comments blanked out, line numbers kept. */
  readonly code: string;
  readonly isTest: boolean;
  readonly imports: readonly Import[];
}

export interface Import {
  readonly line: number;
  /** Nothing but types comes in: gone when the program runs. */
  readonly typeOnly: boolean;
  /** Path of a file of this project; undefined for a package or a builtin module. */
  readonly file: string | undefined;
  /** Name of a package or builtin module as "pg", "@scope/name" or "node:fs". */
  readonly module: string | undefined;
}

/** All TypeScript files below the folders. */
export function readSources(root: string, folders: readonly string[]): readonly SourceFile[] {
  return folders
    .flatMap((folder) => filesBelow(join(root, folder)))
    .map((path) => parse(relative(root, path).split(sep).join("/"), readFileSync(path, "utf8")));
}

export function parse(path: string, text: string): SourceFile {
  const code = withoutComments(text);
  return { path, text, code, isTest: path.endsWith(".test.ts"), imports: importsOf(path, code) };
}

/** `path:line` of every match. */
export function places(file: SourceFile, text: string, pattern: RegExp): readonly string[] {
  return [...text.matchAll(pattern)].map((match) => `${file.path}:${lineAt(text, match.index)}`);
}

function filesBelow(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return entry.name === "node_modules" ? [] : filesBelow(path);
      return entry.name.endsWith(".ts") ? [path] : [];
    });
  } catch {
    return [];
  }
}

const STATIC_IMPORT = /^[ \t]*(?:import|export)\s+(type\s+)?(?:([\w*\s{},$]*?)\s*from\s+)?"([^"\n]+)"/gm;
/** `import("x")` as an expression or as a type. */
const INLINE_IMPORT = /\bimport\(\s*"([^"\n]+)"/g;

function importsOf(path: string, code: string): readonly Import[] {
  const found: Import[] = [];
  for (const match of code.matchAll(STATIC_IMPORT)) {
    const [, type, names = "", specifier = ""] = match;
    const typeOnly = type !== undefined || onlyTypes(names);
    found.push({ line: lineAt(code, match.index), typeOnly, ...target(path, specifier) });
  }
  for (const match of code.matchAll(INLINE_IMPORT)) {
    found.push({ line: lineAt(code, match.index), typeOnly: false, ...target(path, match[1] ?? "") });
  }
  return found;
}

/** `{ type A, type B }`. */
function onlyTypes(names: string): boolean {
  const braces = /^\{([^}]*)\}$/.exec(names.trim());
  if (braces === null) return false;
  const members = (braces[1] ?? "").split(",").map((member) => member.trim());
  return members.every((member) => member === "" || member.startsWith("type "));
}

function target(path: string, specifier: string): Pick<Import, "file" | "module"> {
  if (specifier.startsWith(".")) {
    return { file: posix.normalize(posix.join(dirname(path), specifier)), module: undefined };
  }
  const parts = specifier.split("/");
  const module = specifier.startsWith("@") ? parts.slice(0, 2).join("/") : parts[0];
  return { file: undefined, module: specifier.startsWith("node:") ? specifier : module };
}

/**
 * Blanks out comments. Strings and templates are stepped over so that a `//` in a URL stays; a quote
 * inside a regular expression may end a string too early or late, which at worst keeps a comment.
 */
function withoutComments(text: string): string {
  const token = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g;
  return text.replaceAll(token, (match) =>
    match.startsWith("/*") || match.startsWith("//") ? match.replaceAll(/[^\n]/g, " ") : match,
  );
}

function lineAt(text: string, index: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at !== -1 && at < index; at = text.indexOf("\n", at + 1)) line++;
  return line;
}
