import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { binaryForm, binaryFormSql } from "../src/engines/postgres/catalog/binary-form.ts";
import { describe } from "../src/engines/postgres/catalog/catalog.ts";
import { EnginePage, enginePages } from "./engine-pages.ts";
import { readSources, type SourceFile } from "./source-text.ts";
import { startPostgres } from "./support/postgres-server.ts";
import { typeSchema, untriedTypes } from "./support/type-schema.ts";
import { typeSamples } from "./support/type-values.ts";

/* The tables of docs/engines/postgres.md say what the tests show, and nothing else. */

const root = join(import.meta.dirname, "..");
const page = new EnginePage(root, "postgres");
const sources = new Map(readSources(root, ["src", "test"]).map((file) => [file.path, file]));

/** Names of types as the page lists them: without lengths, `interval` for all of its kinds. */
function pageName(type: string): string {
  return /^interval /.test(type) ? "interval" : type.replace(/\([\d,]+\)/, "");
}

const listed = page
  .tableAfter("### Types")
  .flatMap(([names = "", load = "", change = ""]) =>
    names.split(", ").map((name) => ({ name: name.replaceAll("`", ""), form: `${load} | ${change}` })),
  );

test("the page lists the types that the tests try, and those that nobody can", () => {
  const tried = typeSamples.map(({ type, kind }) => kind ?? pageName(type));
  const expected = [...new Set([...tried, ...Object.keys(untriedTypes)])].sort();
  assert.deepEqual(listed.map(({ name }) => name).sort(), expected);
});

test("types travel in the form that the page says", async () => {
  await using server = await startPostgres();
  const columns = typeSamples.map(({ type }, n) => `c${n} ${type}`);
  await server.query(
    `${typeSchema} set search_path = types, public; create table types.t (${columns.join(", ")})`,
  );
  const client = await server.connect();
  try {
    const { tables } = await describe(client, [{ schema: "types", name: "t" }]);
    const { rows } = await client.query<{ form: string | null }>(
      `select ${binaryFormSql("a.atttypid")} as form from pg_attribute a
        where a.attrelid = 'types.t'::regclass and a.attnum > 0 order by a.attnum`,
    );
    const forms = new Map(listed.map(({ name, form }) => [name, form]));
    for (const [n, column] of tables[0]!.columns.entries()) {
      const { type, kind = pageName(type) } = typeSamples[n]!;
      const change = binaryForm(column);
      const load = rows[n]!.form === change ? change : undefined;
      const form = `${load === undefined ? "text" : "binary"} | ${change === undefined ? "text" : "binary"}`;
      const said = forms.get(kind) ?? "";
      // A domain's is that of its base.
      assert.ok(
        said === form || (kind === "domains" && said.includes("base")),
        `${type}: ${said}, not ${form}`,
      );
    }
  } finally {
    await client.end();
  }
});

/** A test file by its name, or several by a pattern with an asterisk. */
function testsNamed(name: string): readonly SourceFile[] {
  const pattern = new RegExp(`/${name.replaceAll(".", "\\.").replace("*", ".*")}$`);
  return [...sources.values()].filter(({ path }) => pattern.test(`/${path}`));
}

test("every test that a page names is there", () => {
  for (const { engine, testNames } of enginePages(root)) {
    assert.ok(testNames.size > 2, engine);
    for (const name of testNames) assert.notDeepEqual(testsNamed(name), [], `${name} in ${engine}.md`);
  }
});

/** What a test says, with what it takes from test/support. */
function textOf(file: SourceFile, seen = new Set<string>()): string {
  if (seen.has(file.path)) return "";
  seen.add(file.path);
  const support = file.imports.flatMap(({ file: path }) => {
    return path?.startsWith("test/support/") === true ? [sources.get(path)!] : [];
  });
  return [file.text, ...support.map((other) => textOf(other, seen))].join("\n");
}

test("the tests that show an object have the statements that the page names", () => {
  for (const [object = "", , tests = ""] of page.tableAfter("### Objects")) {
    const files = [...tests.matchAll(/`([^`]+)`/g)].flatMap(([, name = ""]) => testsNamed(name));
    const text = files
      .map((file) => textOf(file))
      .join("\n")
      .toLowerCase()
      .replaceAll(/\s+/g, " ");
    for (const [, statement = ""] of object.matchAll(/`([^`]+)`/g)) {
      assert.ok(text.includes(statement.toLowerCase()), `${statement}: not in ${tests}`);
    }
  }
});
