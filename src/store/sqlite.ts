import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { MigrationError } from "../core/error.ts";
import { tableKey } from "../core/schema.ts";
import type { Records, ResourceKind } from "../task/records.ts";
import {
  type Companions,
  IdentifierTaken,
  type NumberedEvent,
  type ServiceEvent,
  type Store,
  type Tag,
  uniqueName,
} from "../task/store.ts";
import type { TableProgress } from "../task/task.ts";
import { EventLog } from "./event-log.ts";
import { migrate } from "./migrations.ts";
import { loadSecretKey, type SecretBox, secretBox } from "./secrets.ts";
import { Statements } from "./statements.ts";

/**
 * Opens (and makes) the store of a data directory: tideway.db, locked for this process alone, and the
 * key of its secrets. Throws `server.data_dir` and `server.secret_key`.
 */
export function openSqliteStore(dataDir: string, environment: NodeJS.ProcessEnv = process.env): Store {
  const database = openLocked(dataDir);
  try {
    const store = new SqliteStore(database, secretBox(loadSecretKey(dataDir, environment)));
    store.checkKey();
    return store;
  } catch (error) {
    database.close();
    throw error;
  }
}

function openLocked(dataDir: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const path = join(dataDir, "tideway.db");
    // SQLite gives its other files the mode of this one.
    closeSync(openSync(path, "a", 0o600));
    database = new DatabaseSync(path, { timeout: 0 });
    // The system drops the lock with the process, so a crash leaves nothing to clean up.
    database.exec("pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = full");
    database.exec("begin exclusive; commit");
    migrate(database);
    return database;
  } catch (error) {
    database?.close();
    if (error instanceof MigrationError) throw error;
    throw unusable(dataDir, error);
  }
}

function unusable(dataDir: string, error: unknown): MigrationError {
  const text = error instanceof Error ? error.message : "";
  const message = /locked|busy/.test(text)
    ? `Another Tideway server uses the data directory ${dataDir}.`
    : `The data directory ${dataDir} cannot be used: ${text}.`;
  return new MigrationError("server.data_dir", { message, subject: dataDir, cause: error });
}

class SqliteStore implements Store {
  readonly #database: DatabaseSync;
  readonly #secrets: SecretBox;
  readonly #statements: Statements;
  readonly #events: EventLog;

  readonly #eventListeners: (() => void)[] = [];
  /** The present transaction has added some. */
  #hasNewEvents = false;

  constructor(database: DatabaseSync, secrets: SecretBox) {
    this.#database = database;
    this.#secrets = secrets;
    this.#statements = new Statements(database);
    this.#events = new EventLog(this.#statements);
  }

  /** The first secret of every store: whether it opens tells a wrong key before anything is served. */
  checkKey(): void {
    const known = this.#openSecret("tideway", "key-check");
    if (known === undefined) this.#seal("tideway", "key-check", "tideway");
  }

  async insert<K extends ResourceKind>(
    kind: K,
    record: Records[K],
    companions: Companions = {},
  ): Promise<boolean> {
    return this.#atomically(() => {
      const done = this.#run(
        "insert into resource (kind, arn, identifier, body) values (?, ?, ?, ?) on conflict do nothing",
        kind,
        record.arn,
        uniqueName(record),
        JSON.stringify(record),
      );
      if (done === 1) this.#accompany(record.arn, companions);
      return done === 1;
    });
  }

  async get<K extends ResourceKind>(kind: K, arn: string): Promise<Records[K] | undefined> {
    return this.#record(kind, arn);
  }

  async list<K extends ResourceKind>(kind: K): Promise<readonly Records[K][]> {
    const rows = this.#prepare("select body from resource where kind = ? order by seq").all(kind);
    return rows.map((row) => JSON.parse(String(row.body)) as Records[K]);
  }

  async update<K extends ResourceKind>(
    kind: K,
    arn: string,
    change: (record: Records[K]) => Records[K],
    companions?: (record: Records[K]) => Companions,
  ): Promise<Records[K] | undefined> {
    const current = this.#record(kind, arn);
    if (current === undefined) return undefined;
    // Nothing else can run between reading and writing: both are synchronous in the only process.
    const next = change(current);
    const name = uniqueName(next);
    const taken = this.#prepare("select 1 from resource where kind = ? and identifier = ? and arn <> ?");
    if (taken.get(kind, name, arn) !== undefined) throw new IdentifierTaken(next.identifier);
    return this.#atomically(() => {
      this.#run(
        "update resource set identifier = ?, body = ? where kind = ? and arn = ?",
        name,
        JSON.stringify(next),
        kind,
        arn,
      );
      this.#accompany(arn, companions?.(next) ?? {});
      return next;
    });
  }

  async remove(
    kind: ResourceKind,
    arn: string,
    companions: Pick<Companions, "event" | "removes"> = {},
  ): Promise<boolean> {
    return this.#atomically(() => {
      const wasThere = this.#remove(kind, arn);
      if (wasThere) this.#accompany(arn, companions);
      return wasThere;
    });
  }

  async tags(arn: string): Promise<readonly Tag[]> {
    const rows = this.#prepare("select key, value from tag where arn = ? order by seq").all(arn);
    return rows.map((row) => ({ key: String(row.key), value: String(row.value) }));
  }

  async setTags(arn: string, tags: readonly Tag[]): Promise<void> {
    this.#atomically(() => this.#accompany(arn, { tags }));
  }

  async removeTags(arn: string, keys: readonly string[]): Promise<void> {
    this.#atomically(() => {
      for (const key of keys) this.#run("delete from tag where arn = ? and key = ?", arn, key);
    });
  }

  async setSecret(owner: string, name: string, value: string | undefined): Promise<void> {
    if (value === undefined) this.#run("delete from secret where owner = ? and name = ?", owner, name);
    else this.#seal(owner, name, value);
  }

  async secret(owner: string, name: string): Promise<string | undefined> {
    return this.#openSecret(owner, name);
  }

  async addEvents(events: readonly ServiceEvent[]): Promise<void> {
    this.#atomically(() => {
      for (const event of events) this.#addEvent(event);
    });
  }

  async events(range: {
    readonly sinceMs: number;
    readonly untilMs: number;
  }): Promise<readonly ServiceEvent[]> {
    return this.#events.between(range.sinceMs, range.untilMs);
  }

  async eventsAfter(number: number, most: number): Promise<readonly NumberedEvent[]> {
    return this.#events.after(number, most);
  }

  async lastEventNumber(): Promise<number> {
    return this.#events.lastNumber();
  }

  onEvents(listener: () => void): void {
    this.#eventListeners.push(listener);
  }

  async putTableStatistics(taskArn: string, tables: readonly TableProgress[]): Promise<void> {
    this.#atomically(() => {
      for (const table of tables) {
        this.#run(
          `insert into table_statistics (task, table_key, body) values (?, ?, ?)
             on conflict (task, table_key) do update set body = excluded.body`,
          taskArn,
          tableKey(table.id),
          JSON.stringify(table),
        );
      }
    });
  }

  async tableStatistics(taskArn: string): Promise<readonly TableProgress[]> {
    const rows = this.#prepare("select body from table_statistics where task = ? order by seq").all(taskArn);
    return rows.map((row) => JSON.parse(String(row.body)) as TableProgress);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
  }

  #record<K extends ResourceKind>(kind: K, arn: string): Records[K] | undefined {
    const row = this.#prepare("select body from resource where kind = ? and arn = ?").get(kind, arn);
    return row === undefined ? undefined : (JSON.parse(String(row.body)) as Records[K]);
  }

  #remove(kind: ResourceKind, arn: string): boolean {
    const removed = this.#run("delete from resource where kind = ? and arn = ?", kind, arn);
    if (removed === 0) return false;
    this.#run("delete from tag where arn = ?", arn);
    this.#run("delete from secret where owner = ?", arn);
    this.#run("delete from table_statistics where task = ?", arn);
    return true;
  }

  /** Within the step that stores the record of that ARN. */
  #accompany(arn: string, companions: Companions): void {
    const { tags = [], secrets = {}, event, clearsTableStatistics, removes = [] } = companions;
    for (const tag of tags) {
      this.#run(
        `insert into tag (arn, key, value) values (?, ?, ?)
           on conflict (arn, key) do update set value = excluded.value`,
        arn,
        tag.key,
        tag.value,
      );
    }
    for (const [name, value] of Object.entries(secrets)) this.#seal(arn, name, value);
    if (clearsTableStatistics === true) this.#run("delete from table_statistics where task = ?", arn);
    for (const gone of removes) this.#remove(gone.kind, gone.arn);
    if (event !== undefined) this.#addEvent(event);
  }

  #addEvent(event: ServiceEvent): void {
    this.#events.add(event);
    this.#hasNewEvents = true;
  }

  #seal(owner: string, name: string, value: string): void {
    this.#run(
      `insert into secret (owner, name, sealed) values (?, ?, ?)
         on conflict (owner, name) do update set sealed = excluded.sealed`,
      owner,
      name,
      this.#secrets.seal(value, `${owner} ${name}`),
    );
  }

  #openSecret(owner: string, name: string): string | undefined {
    const row = this.#prepare("select sealed from secret where owner = ? and name = ?").get(owner, name);
    return row === undefined ? undefined : this.#secrets.open(row.sealed as Uint8Array, `${owner} ${name}`);
  }

  #prepare(sql: string): ReturnType<Statements["prepare"]> {
    return this.#statements.prepare(sql);
  }

  #run(...call: Parameters<Statements["run"]>): number {
    return this.#statements.run(...call);
  }

  #atomically<T>(work: () => T): T {
    this.#hasNewEvents = false;
    const result = this.#statements.atomically(work);
    if (this.#hasNewEvents) for (const tell of this.#eventListeners) tell();
    return result;
  }
}
