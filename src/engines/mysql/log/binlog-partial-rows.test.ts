import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeAll, decoder, TABLE, textsOf, UUID } from "../../../../test/support/binlog-decoding.ts";
import {
  event,
  formatDescription,
  gtid,
  packed,
  query,
  rows,
  tableMap,
  uint,
  xid,
} from "../../../../test/support/binlog-events.ts";
import { type Json, jsonDiff, jsonDocument, jsonText } from "../../../../test/support/json-document.ts";
import { seededRandom } from "../../../../test/support/mysql-values.ts";
import type { ChangeBatch } from "../../../core/change-batch.ts";
import type { TableSchema } from "../../../core/schema.ts";
import { EventKind } from "./binlog-event.ts";
import { ColumnKind } from "./binlog-table-map.ts";

const [ID] = TABLE.columns;
const JSON_COLUMN = {
  name: "a",
  type: { kind: "json" },
  nativeType: "json",
  nullable: true,
} as const;
const PEOPLE: TableSchema = { ...TABLE, columns: [ID!, JSON_COLUMN, { ...JSON_COLUMN, name: "b" }] };
const MAP = {
  ...{ table: 9, schema: "shop", name: "t" },
  columns: [
    [ColumnKind.long, []],
    [ColumnKind.json, [4]],
    [ColumnKind.json, [4]],
  ],
} as const;

const sized = (bytes: Buffer): Buffer => Buffer.concat([uint(bytes.length, 4), bytes]);
const image = (id: number, ...documents: readonly Buffer[]): Buffer =>
  Buffer.concat([uint(0, 1), uint(id, 4), ...documents.map(sized)]);
/** A row after of which the columns of `bits` hold changes. */
const partial = (bits: number, after: Buffer): Buffer => Buffer.concat([uint(1, 1), uint(bits, 1), after]);

const updates = (images: Buffer): Buffer => rows(EventKind.partialUpdateRows, { table: 9, width: 3 }, images);

const begun = [formatDescription(false), gtid({ uuid: UUID, number: 6 })];

async function read(...events: readonly Buffer[]): Promise<ChangeBatch> {
  const reader = decoder({ tables: [PEOPLE] });
  const [batch] = await decodeAll(reader, [
    ...begun,
    query("BEGIN", "shop"),
    tableMap(MAP),
    ...events,
    xid(),
  ]);
  return batch!;
}

async function changed(before: Json, ...diffs: readonly Buffer[]): Promise<string | null> {
  const document = jsonDocument(before);
  const after = partial(1, image(1, Buffer.concat(diffs), document));
  const [row] = textsOf(await read(updates(Buffer.concat([image(1, document, document), after]))));
  assert.equal(row![2], jsonText(before));
  return row![1]!;
}

test("hand-built events of MySQL 8: changes of parts of JSON give the whole value", async () => {
  const before = { a: [1, { b: "x" }], 'q"u o': null, long: "é".repeat(200) };
  assert.equal(
    await changed(
      before,
      jsonDiff(0, "$.a[1].b", [true, 70_000, 1.5]),
      jsonDiff(1, "$.a[0]", -40_000),
      jsonDiff(1, "$.a[100]", "last"),
      jsonDiff(1, "$.new", { "": 2 ** 40 }),
      jsonDiff(0, '$."q\\"u o"', "now"),
      jsonDiff(2, "$.long"),
    ),
    '{"a": [-40000, 1, {"b": [true, 70000, 1.5]}, "last"], "new": {"": 1099511627776}, "q\\"u o": "now"}',
  );
  assert.equal(await changed([1, 2, 3], jsonDiff(2, "$[0]"), jsonDiff(2, "$[1]")), "[2]");
});

test("hand-built events of MySQL 8: random changes of parts of JSON leave what they would in memory", async () => {
  const random = seededRandom(41);
  const below = (limit: number): number => Math.floor(random() * limit);
  const scalar = (): Json =>
    [null, true, below(1e6) - 5e5, "text".repeat(below(60)), below(100) + 0.5][below(5)]!;
  const value = (depth: number): Json => {
    const shape = depth === 0 ? 2 : below(4);
    if (shape > 1) return scalar();
    const many = Array.from(
      { length: below(5) },
      (_, i) => [`k${"y".repeat(below(3))}${i}`, value(depth - 1)] as const,
    );
    return shape === 0 ? Object.fromEntries(many) : many.map(([, one]) => one);
  };
  let applied = 0;
  for (let round = 0; round < 300; round++) {
    const root: Json = { list: [value(3), value(2)], map: { k: value(3) } };
    const model = structuredClone(root) as Record<string, unknown>;
    const diffs: Buffer[] = [];
    for (let n = below(6); n >= 0; n--) {
      let parent = model as Record<string, unknown> | unknown[];
      let path = "$";
      for (;;) {
        const keys = Array.isArray(parent) ? [...parent.keys()] : Object.keys(parent);
        const key = keys[below(keys.length)];
        const child = key === undefined ? undefined : (parent as Record<string, unknown>)[key];
        if (typeof child !== "object" || child === null || random() < 0.4) break;
        path += typeof key === "number" ? `[${key}]` : `.${/^\w+$/.test(key!) ? key : JSON.stringify(key)}`;
        parent = child as typeof parent;
      }
      diffs.push(someDiff(parent, path, below, value(2)));
      applied++;
    }
    assert.equal(await changed(root, ...diffs), jsonText(model as Json));
  }
  assert.ok(applied > 500);
});

/** Changes a container of the model, and says how. */
function someDiff(
  parent: Record<string, unknown> | unknown[],
  path: string,
  below: (limit: number) => number,
  value: Json,
): Buffer {
  const keys = Array.isArray(parent) ? [...parent.keys()] : Object.keys(parent);
  const kind = keys.length === 0 ? 1 : (below(3) as 0 | 1 | 2);
  if (Array.isArray(parent)) {
    const at = below(kind === 1 ? keys.length + 1 : keys.length);
    parent.splice(at, kind === 1 ? 0 : 1, ...(kind === 2 ? [] : [structuredClone(value)]));
    return jsonDiff(kind, `${path}[${at}]`, kind === 2 ? undefined : value);
  }
  const key = kind === 1 ? `n "ew${below(1e9)}` : String(keys[below(keys.length)]);
  if (kind === 2) delete parent[key];
  else parent[key] = structuredClone(value);
  return jsonDiff(kind, `${path}.${JSON.stringify(key)}`, kind === 2 ? undefined : value);
}

test("hand-built events of MySQL 8: an event mixes rows with values in parts, whole ones and NULL", async () => {
  const [one, two] = [jsonDocument({ n: 1 }), jsonDocument([2])];
  const withNull = Buffer.concat([uint(0b010, 1), uint(3, 4), sized(two)]);
  const batch = await read(
    updates(
      Buffer.concat([
        ...[image(1, one, two), partial(0b11, image(1, jsonDiff(0, "$.n", 9), jsonDiff(1, "$[0]", 1)))],
        ...[image(2, one, two), uint(0, 1), image(2, two, one)],
        ...[withNull, partial(0b10, Buffer.concat([uint(0b010, 1), uint(3, 4), sized(jsonDiff(2, "$[0]"))]))],
        // Nothing has changed in it.
        ...[image(4, one, two), partial(0b01, image(4, Buffer.alloc(0), two))],
      ]),
    ),
  );
  assert.deepEqual(textsOf(batch), [
    ["1", '{"n": 9}', "[1, 2]"],
    ["2", "[2]", '{"n": 1}'],
    ["3", null, "[]"],
    ["4", '{"n": 1}', "[2]"],
  ]);
});

test("hand-built events of MySQL 8: parts of JSON without the value before make the table's transaction unfit", async () => {
  // binlog_row_image = MINIMAL: the key alone, and of the row after what has changed.
  const after = partial(1, Buffer.concat([uint(0, 1), sized(jsonDiff(0, "$.n", 9))]));
  const body = [uint(9, 6), uint(1, 2), uint(2, 2), packed(3), uint(0b001, 1), uint(0b010, 1)];
  const before = Buffer.concat([uint(0, 1), uint(1, 4)]);
  const batch = await read(event(EventKind.partialUpdateRows, Buffer.concat([...body, before, after])));
  const { error } = batch.misfits![0]!;
  assert.equal(error.code, "source.row_image");
  assert.match(error.message, /column a /);
  assert.match(error.remedy, /binlog_row_value_options/);
});

test("hand-built events of MySQL 8: changes of parts of JSON that do not fit end the stream", async () => {
  for (const diff of [
    jsonDiff(0, "$.gone", 1),
    jsonDiff(2, "$.a[5]"),
    jsonDiff(1, "$.a", 1),
    jsonDiff(0, "$", 1),
    jsonDiff(0, "$.a.b", 1),
    jsonDiff(0, "$[*]", 1),
    jsonDiff(0, '$."a', 1),
    jsonDiff(0, "a", 1),
    Buffer.concat([uint(7, 1), jsonDiff(0, "$.a", 1).subarray(1)]),
    jsonDiff(0, "$.a", "cut").subarray(0, -1),
  ]) {
    await assert.rejects(changed({ a: [1] }, diff), { code: "source.protocol" });
  }
});

test("hand-built events of MySQL 8: changes of parts of JSON count where their XA transaction commits", async () => {
  const before = jsonDocument({ n: 1 });
  const images = Buffer.concat([
    image(1, before, before),
    partial(1, image(1, jsonDiff(0, "$.n", 2), before)),
  ]);
  const name = "X'61',X'',1";
  const [batch] = await decodeAll(decoder({ tables: [PEOPLE] }), [
    ...[...begun, query(`XA START ${name}`, "shop"), tableMap(MAP), updates(images)],
    ...[query(`XA END ${name}`, "shop"), event(EventKind.xaPrepare, uint(0, 1))],
    ...[gtid({ uuid: UUID, number: 7 }), query(`XA COMMIT ${name}`, "shop")],
  ]);
  assert.deepEqual(textsOf(batch!), [["1", '{"n": 2}', '{"n": 1}']]);
});

test("hand-built events: rows of a table that no event has named end the stream", async () => {
  await assert.rejects(read(rows(EventKind.writeRows2, { table: 77, width: 3 }, image(1))), {
    code: "source.protocol",
  });
});
