import assert from "node:assert/strict";
import { test } from "node:test";
import { firstBytes } from "../support/copy-rows.ts";
import {
  directions,
  type Kind,
  type MovedTables,
  mappedServers,
  moveMapped,
} from "../support/mapped-move.ts";

/*
 * Large objects that are limited in size: the target ends with the first kilobytes of each value, to the end of a whole
 * character, whether it came by the full load or by changes, and whatever its row is told by.
 */

const servers = await mappedServers();
const KB = 1024;

/** Of each table, in KB. */
const limits: Readonly<Record<string, number>> = { keyed: 2, loose: 1, whole: 1e9 };

interface Dialect {
  readonly text: string;
  readonly bytes: string;
  readonly textLiteral: (hex: string) => string;
  readonly bytesLiteral: (hex: string) => string;
  readonly textAsHex: (column: string) => string;
  readonly bytesAsHex: (column: string) => string;
  /** Has the log hold whole rows of a table without a key. */
  readonly logsWhole: string;
}

const dialects: Readonly<Record<Kind, Dialect>> = {
  postgres: {
    ...{ text: "text", bytes: "bytea" },
    textLiteral: (hex) => `convert_from('\\x${hex}', 'UTF8')`,
    bytesLiteral: (hex) => `'\\x${hex}'::bytea`,
    textAsHex: (column) => `encode(convert_to(${column}, 'UTF8'), 'hex')`,
    bytesAsHex: (column) => `encode(${column}, 'hex')`,
    logsWhole: "; alter table loose replica identity full",
  },
  mariadb: {
    ...{ text: "longtext", bytes: "longblob" },
    textLiteral: (hex) => `convert(x'${hex}' using utf8mb4)`,
    bytesLiteral: (hex) => `x'${hex}'`,
    textAsHex: (column) => `lower(hex(${column}))`,
    bytesAsHex: (column) => `lower(hex(${column}))`,
    logsWhole: "",
  },
};

/** Texts of sizes around limits of 1 and 2 KB, with characters of all lengths and escapes at these. */
const texts = [1, 2].flatMap((kilobytes): string[] => {
  const limit = kilobytes * KB;
  const at = (size: number, end = ""): string => "x".repeat(size) + end;
  return [
    ...[limit - 1, limit, limit + 1, 5 * limit].map((size) => at(size)),
    ...["é", "€", "𝄞", "\\", "\n"].flatMap((char) =>
      [1, 2, 3, 4].map((left) => at(limit - left, `${char}end`)),
    ),
    ...["\\", "\t\n\\N\r", "é€𝄞"].map((piece) => piece.repeat(limit)),
    at(300_000, "huge"),
  ];
});
const all: readonly string[] = ["", "short", ...texts];

/** Rows from this id on are changed. */
const CHANGED = 1000;

function rowsOf({ textLiteral, bytesLiteral }: Dialect, from: number): string {
  const rows = all.map((text, i) => {
    const hex = Buffer.from(text).toString("hex");
    return `(${from + i}, ${textLiteral(hex)}, ${bytesLiteral(hex)}, 0)`;
  });
  const nulls = `(${from + all.length}, null, null, 0)`;
  return [...rows, nulls].join(", ");
}

function inserted(table: string, dialect: Dialect, from: number): string {
  return `insert into ${table} values ${rowsOf(dialect, from)}`;
}

function made(dialect: Dialect): string {
  const columns = `t ${dialect.text}, b ${dialect.bytes}, n int`;
  return [
    `create table keyed (id int primary key, ${columns})`,
    `create table loose (id int, ${columns})${dialect.logsWhole}`,
    `create table whole (id int primary key, ${columns})`,
    ...Object.keys(limits).map((table) => inserted(table, dialect, 0)),
  ].join("; ");
}

/** Rows whose values are cut off are updated in them, beside them and by their keys, and deleted. */
function changed(dialect: Dialect): string {
  return Object.keys(limits)
    .flatMap((table) => [
      inserted(table, dialect, CHANGED),
      `update ${table} set n = n + 1 where id % 3 = 0`,
      `update ${table} set t = concat('new ', t) where id % 5 = 1`,
      `update ${table} set b = null where id % 7 = 2`,
      `update ${table} set id = id + 5000 where id % 11 = 3`,
      `delete from ${table} where id % 13 = 4`,
    ])
    .join("; ");
}

function lobRule(table: string, lobs: object, id: number): object {
  const locator = { "schema-name": "{source}", "table-name": table };
  return {
    ...{ "rule-type": "table-settings", "rule-id": id, "rule-name": id, "object-locator": locator },
    "lob-settings": lobs,
  };
}

const limitedRules = [
  lobRule("keyed", { mode: "limited", "bulk-max-size": "2" }, 1),
  lobRule("loose", { mode: "limited", "bulk-max-size": "1" }, 2),
];

interface Found {
  readonly id: string;
  readonly text: string | null;
  readonly bytes: string | null;
  readonly n: string;
}

function queryOf(table: string, { textAsHex, bytesAsHex }: Dialect): string {
  return `select id, ${textAsHex("t")} as t, ${bytesAsHex("b")} as b, n from ${table} order by id, n`;
}

function found([id, text, bytes, n]: readonly (string | null)[]): Found {
  return { id: id!, text: text!, bytes: bytes!, n: n! };
}

/** What is to come of a source's row. */
function limited({ id, text, bytes, n }: Found, limit: number): Found {
  const value = text === null ? null : Buffer.from(text, "hex").toString("utf8");
  return {
    ...{ id, n },
    text: value === null ? null : Buffer.from(firstBytes(value, limit)).toString("hex"),
    bytes: bytes === null ? null : bytes.slice(0, 2 * limit),
  };
}

/** Compares a table row by row; resolves with how many values are shorter than the source's. */
async function assertLimited(
  moved: MovedTables,
  table: string,
  sides: readonly [Kind, Kind],
): Promise<number> {
  const [from, to] = sides;
  const source = (await moved.sourceRows(queryOf(table, dialects[from]))).map(found);
  const target = (await moved.rows(queryOf(`{target}.${table}`, dialects[to]))).map(found);
  const wanted = source.map((row) => limited(row, limits[table]! * KB));
  assert.equal(target.length, wanted.length);
  for (const [i, row] of target.entries()) assert.deepEqual(row, wanted[i], `${table} ${row.id}`);
  return source.reduce((cuts, { text, bytes }, i) => {
    return cuts + Number(text !== target[i]!.text) + Number(bytes !== target[i]!.bytes);
  }, 0);
}

function cutsOf({ tables }: MovedTables, name: string): number {
  return tables.find(({ id }) => id.name === name)!.cutValues;
}

for (const sides of directions) {
  const [from, to] = sides;

  test(`rows and changes from ${from} to ${to} come with large objects up to their table's limit`, async () => {
    const moved = await moveMapped(servers, {
      ...{ from, to, rules: limitedRules },
      made: made(dialects[from]),
      changed: changed(dialects[from]),
    });
    for (const table of Object.keys(limits)) {
      const cuts = await assertLimited(moved, table, sides);
      assert.equal(cuts > 20, table !== "whole", `${table}: ${cuts}`);
      assert.equal(cutsOf(moved, table) >= cuts, true);
      assert.equal(cutsOf(moved, table) > 0, table !== "whole");
    }
    const told = moved.findings.filter(({ code }) => code === "mapping.value_cut");
    for (const table of ["keyed", "loose"]) {
      const messages = told.filter((one) => one.table?.name === table).map(({ message }) => message);
      const size = `${limits[table]} KB`;
      assert.match(
        messages[0]!,
        new RegExp(`^Values of the columns t, b are cut off after ${size}, as rule \\d says`),
      );
      assert.match(messages.at(-1)!, /^\d+ values of the table were longer than large objects may be/);
    }
    assert.equal(
      told.some((one) => one.table?.name === "whole"),
      false,
    );
  });

  test(`values that a full load from ${from} to ${to} cuts off by the task's settings are counted`, async () => {
    const moved = await moveMapped(servers, {
      ...{ from, to, made: made(dialects[from]) },
      rules: [
        lobRule("loose", { mode: "limited", "bulk-max-size": "1" }, 1),
        lobRule("whole", { mode: "unlimited" }, 2),
      ],
      settings: { TargetMetadata: { LimitedSizeLobMode: true, LobMaxSize: 2 } },
    });
    for (const table of Object.keys(limits)) {
      const cuts = await assertLimited(moved, table, sides);
      assert.equal(cuts > 20, table !== "whole", `${table}: ${cuts}`);
      assert.equal(cutsOf(moved, table), cuts);
    }
  });
}
