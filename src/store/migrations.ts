import type { DatabaseSync } from "node:sqlite";
import { failpoint } from "../base/failpoint.ts";
import { MigrationError } from "../core/error.ts";

/** Statements that bring a database from one version to the next. Rows are never edited, only added. */
const migrations: readonly string[] = [
  `create table resource (
     seq integer primary key autoincrement,
     kind text not null,
     arn text not null,
     identifier text not null,
     body text not null,
     unique (kind, arn),
     unique (kind, identifier)
   );
   create unique index resource_arn on resource (kind, lower(arn));
   create table tag (
     seq integer primary key autoincrement,
     arn text not null,
     key text not null,
     value text not null,
     unique (arn, key)
   );
   create table secret (
     owner text not null,
     name text not null,
     sealed blob not null,
     primary key (owner, name)
   ) without rowid;
   create table event (
     seq integer primary key autoincrement,
     at_ms integer not null,
     body text not null
   );
   create index event_at on event (at_ms);
   create table table_statistics (
     seq integer primary key autoincrement,
     task text not null,
     table_key text not null,
     body text not null,
     unique (task, table_key)
   );`,
];

/** Brings the database up to date. Throws `server.data_dir` when a newer Tideway has written it. */
export function migrate(database: DatabaseSync): void {
  database.exec("create table if not exists schema_version (version integer not null)");
  const row = database.prepare("select max(version) as version from schema_version").get();
  const version = Number(row?.version ?? 0);
  if (version > migrations.length) {
    throw new MigrationError("server.data_dir", {
      message: `The data directory was written by a newer Tideway (store version ${version}, this one knows ${migrations.length}).`,
      remedy: "Run the newer version, or give another directory with --data-dir.",
    });
  }
  if (version === migrations.length) return;
  for (let next = version; next < migrations.length; next++) {
    database.exec(
      `begin; ${migrations[next]}; insert into schema_version (version) values (${next + 1}); commit`,
    );
  }
  failpoint("service.store-made");
}
