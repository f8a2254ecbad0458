import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { sharedDirectory, TEMPLATES } from "./data-template.ts";
import { type PostgresServer, startPostgres } from "./postgres-server.ts";

const given = process.env[TEMPLATES];
let templates: string;

before(async () => {
  templates = await mkdtemp(join(tmpdir(), "tideway-templates-"));
  await chmod(templates, 0o755);
  process.env[TEMPLATES] = templates;
});

after(async () => {
  if (given === undefined) delete process.env[TEMPLATES];
  else process.env[TEMPLATES] = given;
  await rm(templates, { recursive: true, force: true });
});

for (const version of [12, 18]) {
  test(`servers of version ${version} begin with the same files and have identifiers of their own`, async () => {
    const start = (): Promise<PostgresServer> => startPostgres({ version });
    await using first = await start();
    await using second = await start();
    const identifiers: string[] = [];
    for (const server of [first, second]) {
      const [row] = await server.query("select system_identifier as id from pg_control_system()");
      identifiers.push(row.id);
      // Whoever recovers from the log compares the identifier in it.
      await server.query("create table t (id int); insert into t values (1)");
      await server.stop("SIGQUIT");
      await server.start();
      assert.deepEqual(await server.query("select id from t"), [{ id: 1 }]);
    }
    assert.notEqual(identifiers[0], identifiers[1]);
    assert.ok((await readdir(templates)).includes(`postgres-${version}`));
  });
}

test("of several that make a directory at once one stays, and all are given it", async () => {
  const all = Promise.withResolvers<void>();
  let working = 0;
  const template = {
    name: "shared",
    make: async (path: string): Promise<void> => {
      if (++working === 3) all.resolve();
      await all.promise;
      await mkdir(path);
      await writeFile(join(path, "file"), "");
    },
  };
  const paths = await Promise.all([1, 2, 3].map(() => sharedDirectory(template)));
  assert.deepEqual(new Set(paths), new Set([join(templates, "shared")]));
  assert.deepEqual(await readdir(join(templates, "shared")), ["file"]);
  assert.deepEqual(
    (await readdir(templates)).filter((name) => name.startsWith("making-")),
    [],
  );
  assert.equal(await sharedDirectory(template), join(templates, "shared"));
  assert.equal(working, 3);
});
