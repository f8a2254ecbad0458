import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { storeContract } from "../../test/contract/store.ts";
import type { Store } from "../task/store.ts";
import { openSqliteStore } from "./sqlite.ts";

class Subject implements AsyncDisposable {
  readonly directory: string;
  store: Store;

  constructor(directory: string) {
    this.directory = directory;
    this.store = openSqliteStore(directory, {});
  }

  async reopen(): Promise<Store> {
    await this.store[Symbol.asyncDispose]();
    this.store = openSqliteStore(this.directory, {});
    return this.store;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store[Symbol.asyncDispose]();
    await rm(this.directory, { recursive: true });
  }
}

async function open(): Promise<Subject> {
  return new Subject(await mkdtemp(join(tmpdir(), "tideway-store-")));
}

storeContract("sqlite", open);

test("a data directory that another store has open is refused, and free again when that is closed", async () => {
  await using subject = await open();
  assert.throws(() => openSqliteStore(subject.directory, {}), {
    code: "server.data_dir",
    message: /Another Tideway server uses/,
  });
  await subject.reopen();
});

test("no file of the store holds a secret in clear, and none can be read by others", async () => {
  await using subject = await open();
  await subject.store.setSecret("arn:a", "password", "Xyzzy-Plugh-123");
  for (const name of await readdir(subject.directory)) {
    const path = join(subject.directory, name);
    assert.equal((await readFile(path)).includes("Xyzzy-Plugh"), false, name);
    assert.equal((await stat(path)).mode & 0o077, 0, name);
  }
});

test("a store whose key was replaced is refused before anything is served", async () => {
  await using subject = await open();
  await subject.store[Symbol.asyncDispose]();
  await writeFile(join(subject.directory, "key"), randomBytes(32).toString("base64"));
  assert.throws(() => openSqliteStore(subject.directory, {}), { code: "server.secret_key" });
  await writeFile(join(subject.directory, "key"), "short");
  assert.throws(() => openSqliteStore(subject.directory, {}), { code: "server.secret_key" });
});

test("the key of the environment goes before the file, and no file is made then", async () => {
  const directory = await mkdtemp(join(tmpdir(), "tideway-store-"));
  const environment = { TIDEWAY_SECRET_KEY: randomBytes(32).toString("base64") };
  {
    await using store = openSqliteStore(directory, environment);
    await store.setSecret("a", "b", "c");
  }
  assert.equal((await readdir(directory)).includes("key"), false);
  assert.throws(() => openSqliteStore(directory, {}), { code: "server.secret_key" });
  await rm(directory, { recursive: true });
});

test("a directory that is a file, and a database that is none, are refused as data directories", async () => {
  const directory = await mkdtemp(join(tmpdir(), "tideway-store-"));
  const file = join(directory, "file");
  await writeFile(file, "");
  assert.throws(() => openSqliteStore(file, {}), { code: "server.data_dir" });
  await writeFile(join(directory, "tideway.db"), "not a database, but long enough to look like something");
  assert.throws(() => openSqliteStore(directory, {}), { code: "server.data_dir" });
  await chmod(directory, 0o700);
  await rm(directory, { recursive: true });
});
