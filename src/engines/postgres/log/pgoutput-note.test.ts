import assert from "node:assert/strict";
import { test } from "node:test";
import {
  begin,
  column,
  commit,
  decode,
  insert,
  int32,
  relation,
  row,
  table,
  tag,
  text,
} from "../../../../test/support/pgoutput-messages.ts";
import type { ColumnShape, TableShape } from "../../../core/table-shape.ts";
import { lsnCodec } from "../catalog/lsn.ts";
import { PgoutputDecoder } from "./pgoutput.ts";
import { readNote } from "./pgoutput-note.ts";

function shapeOf(names: Readonly<Record<number, string>>, more: Partial<TableShape> = {}): TableShape {
  const columns = Object.entries(names).map(([number, name]): ColumnShape => {
    return { number: Number(number), name, type: "25 -1", version: "1", computed: null, fill: null };
  });
  return { table: "1", storage: "1", columnsEver: 9, columns, ...more };
}

const notePrefix = "tideway note 1";

function message(contents: string, { transactional = 1, prefix = notePrefix } = {}): Buffer {
  const bytes = Buffer.from(contents);
  return tag("M", Buffer.from([transactional]), Buffer.alloc(8), text(prefix), int32(bytes.length), bytes);
}

function written(names: Readonly<Record<number, string>>): string {
  const lists = { ofType: false, enums: [], columns: [], indexes: [], checks: [], foreignKeys: [] };
  const told = {
    schema: "s",
    name: "t",
    identity: "d",
    shape: shapeOf(names),
    rewritten: false,
    plain: true,
  };
  return JSON.stringify({ ...told, ...lists });
}

function note(names: Readonly<Record<number, string>>): Buffer {
  return message(written(names));
}

const old = { 1: "id", 2: "v", 3: "w" };

function decoder(shape: TableShape, takes: boolean, names = ["id", "v", "w"]): PgoutputDecoder {
  const columns = names.map((name) => column(name));
  const tables = [table({ columns, shape })];
  const after = lsnCodec.parse("0/0");
  const laterValues = new Map([['"s"."t"', new Map([["n", Buffer.from("fill")]])]]);
  return new PgoutputDecoder({
    tables,
    encoding: "text",
    after,
    laterValues,
    notePrefix,
    takes: () => takes,
  });
}

test("after a note that the task takes the rest of its transaction is left out, and the note comes with the commit", () => {
  const into = decoder(shapeOf(old), true);
  const messages = [
    begin(9),
    relation(),
    insert(1, "1", "a", "b"),
    note({ 1: "id" }),
    insert(1, "2", "a", "b"),
    commit(),
  ];
  const batch = decode([...messages, begin(20), insert(1, "3", "a", "b"), commit()], into)!;
  assert.equal(batch.ops.length, 8);
  assert.deepEqual(
    batch.noted!.map(({ transaction, notes }) => [transaction, notes.length]),
    [[0, 1]],
  );
});

test("messages of others, outside of transactions, or that mark an end of log are passed over", () => {
  const into = decoder(shapeOf(old), true);
  const others = [
    ...[message("{}", { prefix: "app" }), message("{}", { transactional: 0 })],
    ...[
      message(written(old), { prefix: "tideway note 2" }),
      message(""),
      message("{"),
      message("{}"),
      message('{"shape":{"table":"1"},"dropped":true}'),
      message("null"),
    ],
  ];
  const batch = decode([begin(9), relation(), ...others, insert(1, "1", "a", "b"), commit()], into)!;
  assert.equal(batch.noted, undefined);
  assert.equal(batch.ops.length, 4);
});

test("up to its place a table's rows are those of the columns that it had, by their numbers", () => {
  const place = { position: lsnCodec.parse("16/a"), before: shapeOf(old) };
  const into = decoder(shapeOf({ 1: "id", 3: "v", 4: "n" }, { place }), false, ["id", "v", "n"]);
  const between = relation({
    columns: [
      ["id", 1],
      ["w", 0],
    ],
  });
  const now = relation({
    columns: [
      ["id", 1],
      ["v", 0],
      ["n", 0],
    ],
  });
  const batch = decode(
    [
      ...[begin(9), relation(), insert(1, "1", "gone", "kept"), note({ 1: "id", 3: "w" })],
      ...[
        between,
        insert(1, "2", "kept"),
        note({ 1: "id", 3: "v", 4: "n" }),
        now,
        insert(1, "3", "v", "n"),
        commit(),
      ],
    ],
    into,
  )!;
  const rows = [3, 7, 11].map((at) => row(batch, batch.ops[at]!));
  assert.deepEqual(rows, [
    ["1", "kept", "fill"],
    ["2", "kept", "fill"],
    ["3", "v", "n"],
  ]);
});

test("what the server could not describe any more is left out of a note", () => {
  const gone = { name: "gone", definition: null };
  const lists = {
    indexes: [{ ...gone, numbers: [1], columns: ["id"] }],
    checks: [gone],
    foreignKeys: [{ ...gone, columns: ["v"] }],
  };
  const read = readNote(Buffer.from(JSON.stringify({ ...JSON.parse(written(old)), ...lists })))!;
  assert.deepEqual([read.parts!.indexes, read.parts!.checks, read.parts!.foreignKeys], [[], [], []]);
});
