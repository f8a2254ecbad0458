import assert from "node:assert/strict";
import { suite, test } from "node:test";
import ZongJi from "@vlasky/zongji";
import { BinlogSource, type ReadOp } from "../../../../test/support/binlog-source.ts";
import { type MysqlServer, startMysql } from "../../../../test/support/mysql-server.ts";
import { seededRandom } from "../../../../test/support/mysql-values.ts";
import { Op } from "../../../core/change-batch.ts";

/*
 * What is left out is where the other reader is wrong: a negative time of whole minutes gets 64 seconds, an enum's value 0
 * is undefined, and numbers in JSON beyond 2^53 become texts. MariaDB's JSON is a text to both.
 */
const COLUMNS = ["id", "small", "big", "amount", "name", "note", "state", "day"].concat(
  ...["clock", "exact", "flags", "kinds", "doc", "raw", "fixed", "body"],
);
const SCHEMA = `create table t (id int unsigned primary key, small smallint, big bigint unsigned, amount decimal(20,6),
  name varchar(300), note text, state enum('new','done'), day date, clock time, exact time(6), flags bit(11),
  kinds set('a','é','c'), doc json, raw varbinary(300), fixed binary(9), body blob)`;
const CHANGES = 600;

/** A change as both readers tell it: its kind and the texts of its rows. */
type Told = readonly [kind: number, ...rows: readonly string[]];

suite("the log as another reader of it tells it", () => {
  for (const flavour of ["mariadb", "mysql"] as const) {
    test(`rows of ${flavour} are the same, change by change`, async () => {
      await using server = await startMysql({ flavour });
      await using source = await BinlogSource.make(server, SCHEMA);
      const from = await source.position();
      const [status] = await server.query("show master status");
      await source.query(changes());
      const log = await source.read(from);
      const ours = log.ops.map(toldByUs);
      const theirs = await readWithZongji(server, source.database, {
        filename: status!["File"]!,
        position: Number(status!["Position"]),
        count: ours.length,
      });
      assert.ok(ours.length >= CHANGES);
      assert.deepEqual(ours, theirs);
    });
  }
});

function changes(): string {
  const random = seededRandom(77);
  const number = (limit: number): number => Math.floor(random() * limit);
  const orNull = (sql: string): string => (random() < 0.2 ? "null" : sql);
  const text = (): string => orNull(`'é${"😀x".repeat(number(40))}${number(1e6)}'`);
  const hex = (bytes: number): string =>
    Array.from({ length: bytes }, () => number(256).toString(16).padStart(2, "0")).join("");
  const clock = (): string =>
    `${random() < 0.3 ? "-" : ""}${number(838)}:${10 + number(49)}:${10 + number(49)}`;
  // Zeros at its end are left out of what the stream tells.
  const fraction = (): string => `${String(number(1e5)).padStart(5, "0")}${1 + number(9)}`;
  const document = (): string =>
    JSON.stringify({
      n: number(1e9) - 5e8,
      half: number(9) + 0.5,
      "k é": ["x".repeat(number(99)), null, true, {}],
    });
  const more = (): string =>
    [
      ...[
        orNull(`'${clock()}'`),
        orNull(`'${clock()}.${fraction()}'`),
        orNull(`b'${number(2048).toString(2)}'`),
      ],
      ...[orNull(`${number(8)}`), orNull(`'${document()}'`), orNull(`x'${hex(number(200))}'`)],
      ...[orNull(`x'${hex(number(10))}'`), orNull(`x'${hex(number(200))}'`)],
    ].join(", ");
  const statements: string[] = [];
  for (let i = 0; i < CHANGES; i++) {
    statements.push(
      `insert into t values (${4_000_000_000 + i}, ${number(64_000) - 32_000}, ${random() < 0.1 ? "18446744073709551615" : number(1e15)},
        ${number(1e9) - 5e8}.${number(1e6)}, ${text()}, ${text()}, ${random() < 0.5 ? "'new'" : "null"}, '20${10 + number(80)}-0${1 + number(9)}-1${number(9)}', ${more()})`,
    );
    if (i % 3 === 0)
      statements.push(
        `update t set name = ${text()}, small = null, amount = -amount, flags = flags ^ 2047, doc = null where id = ${4_000_000_000 + number(i)}`,
      );
    if (i % 7 === 0) statements.push(`delete from t where id = ${4_000_000_000 + number(i)}`);
  }
  return statements.join("; ");
}

/** Of an update the row after alone: the one before is told when it is needed. */
function toldByUs({ kind, before, after, table }: ReadOp): Told {
  const row = kind === Op.delete ? [before![0]] : after!;
  const isJson = table.columns.map(({ type }) => type.kind === "json");
  return [
    kind,
    JSON.stringify(row.map((cell, i) => (isJson[i] && cell != null ? sameJson(JSON.parse(cell)) : cell))),
  ];
}

/** Both in one order of their members. */
function sameJson(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) =>
    typeof one === "object" && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}

interface RowsEvent {
  getTypeName(): string;
  readonly rows?: readonly Record<string, unknown>[];
}

interface Range {
  readonly filename: string;
  readonly position: number;
  readonly count: number;
}

async function readWithZongji(
  server: MysqlServer,
  database: string,
  { filename, position, count }: Range,
): Promise<Told[]> {
  const reader = new ZongJi({
    host: "127.0.0.1",
    port: server.port,
    user: server.user,
    password: server.password,
  });
  const told: Told[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      reader.on("error", reject);
      reader.on("binlog", (...[heard]: unknown[]) => {
        const event = heard as RowsEvent;
        const kind = KINDS.get(event.getTypeName());
        if (kind === undefined || event.rows === undefined) return;
        for (const row of event.rows) told.push(toldByThem(kind, row));
        if (told.length >= count) resolve();
      });
      const includeEvents = ["tablemap", "writerows", "updaterows", "deleterows"];
      reader.start({
        includeSchema: { [database]: true },
        includeEvents,
        filename,
        position,
        serverId: 4242,
      });
    });
  } finally {
    await reader.stop();
  }
  return told;
}

const KINDS: ReadonlyMap<string, number> = new Map([
  ["WriteRows", Op.insert],
  ["UpdateRows", Op.update],
  ["DeleteRows", Op.delete],
]);

function toldByThem(kind: number, row: Record<string, unknown>): Told {
  const image = (kind === Op.update ? row["after"] : row) as Record<string, unknown>;
  const texts = COLUMNS.map((name) => {
    const value = image[name];
    if (value === null || value === undefined) return null;
    if (value instanceof Date) return dateText(value);
    if (Buffer.isBuffer(value)) return name === "flags" ? bitText(value) : `\\x${value.toString("hex")}`;
    return name === "doc" ? sameJson(typeof value === "string" ? JSON.parse(value) : value) : String(value);
  });
  return [kind, JSON.stringify(kind === Op.delete ? [texts[0]] : texts)];
}

function bitText(bytes: Buffer): string {
  return bytes.readUInt16BE().toString(2).padStart(11, "0");
}

/** It makes a date one of this machine's zone. */
function dateText(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
