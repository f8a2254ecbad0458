import assert from "node:assert/strict";
import { test } from "node:test";
import { commitPosition, lsnCodec, lsnPosition, lsnValue } from "./lsn.ts";

test("an LSN is written without leading zeros and in upper case, however it came", () => {
  for (const text of ["16/B374D848", "16/b374d848", "00000016/B374D848", " 16/B374D848\n"]) {
    assert.deepEqual(lsnCodec.parse(text), { kind: "pg-lsn", text: "16/B374D848" });
  }
  assert.equal(lsnCodec.parse("0/0").text, "0/0");
});

test("a checkpoint of DMS holds its LSN in the third field", () => {
  const expected = "4AF/B00000D0";
  assert.equal(lsnCodec.parse("checkpoint:V1#1#000004AF/B00000D0#0#0#*#0#0").text, expected);
  assert.equal(lsnCodec.parse("checkpoint:V1#34#000004AF/B00000D0#0#0#*#0#121").text, expected);
  assert.equal(lsnCodec.parse("V1#1#4AF/B00000D0").text, expected);
});

test("anything else is refused with the form that is asked for", () => {
  const wrong = [
    "",
    "16",
    "16/",
    "/1",
    "16/B374D8480",
    "16/G",
    "now",
    "16/1/2",
    "-1/2",
    "mysql-bin.000024:373",
  ];
  for (const text of [...wrong, "checkpoint:V1#1#", "checkpoint:V2#1#16/1#0", "2018-03-08T12:12:12"]) {
    assert.throws(() => lsnCodec.parse(text), { code: "position.malformed" }, text);
  }
});

test("numbers and texts are the same over all 64 bits", () => {
  for (const value of [0n, 1n, 0xffffffffn, 0x100000000n, 0x16b374d848n, 2n ** 63n, 2n ** 64n - 1n]) {
    assert.equal(lsnValue(lsnPosition(value)), value);
    assert.equal(lsnValue(lsnCodec.parse(lsnPosition(value).text)), value);
  }
  assert.throws(() => lsnPosition(2n ** 64n), { code: "position.malformed" });
  assert.throws(() => lsnPosition(-1n), { code: "position.malformed" });
});

test("positions are ordered as numbers, and only within one log", () => {
  const at = lsnCodec.parse.bind(lsnCodec);
  assert.equal(lsnCodec.compare(at("9/0"), at("10/0")), -1);
  assert.equal(lsnCodec.compare(at("1/FFFFFFFF"), at("1/9")), 1);
  assert.equal(lsnCodec.compare(at("a/b"), at("A/0000000B")), 0);
  assert.equal(lsnCodec.compare(at("A/B"), { kind: "mysql-gtid", text: "A/B" }), undefined);
});

test("a commit lies just behind the start of its record", () => {
  assert.equal(commitPosition(0x16, 0xb374d848).text, "16/B374D849");
  assert.equal(commitPosition(0x16, 0xffffffff).text, "17/0");
});
