import assert from "node:assert/strict";
import { test } from "node:test";
import { taggedGtid, uint, varint } from "../../../../test/support/binlog-events.ts";
import { EventCursor } from "./binlog-bytes.ts";
import { readTaggedGtid, type TaggedGtid } from "./binlog-tagged-gtid.ts";

const UUID = "77a0b0c0-d0e0-f0f1-1111-77ff77ff77ff";

function read(body: Buffer): TaggedGtid {
  const cursor = new EventCursor();
  cursor.reset(body, 0, body.length);
  return readTaggedGtid(cursor);
}

const bodyOf = (event: Buffer): Buffer => event.subarray(19);

test("hand-built numbers are those of the library's documentation", () => {
  // "MySQL Serialization Library": 65535 without a sign, and with one.
  assert.equal(varint(65_535).toString("hex"), "fbff07");
  assert.equal(varint(2 * 65_535).toString("hex"), "f3ff0f");
  assert.equal(varint(0).toString("hex"), "00");
  assert.equal(varint(2n ** 63n).toString("hex"), "ff0000000000000080");
});

test("a GTID with a tag is read whatever length its numbers have", () => {
  for (let bits = 0; bits < 52; bits++) {
    for (const number of [2 ** bits, 2 ** (bits + 1) - 1]) {
      const parts = { uuid: UUID, tag: "t".repeat(1 + (bits % 32)), number };
      assert.deepEqual(read(bodyOf(taggedGtid({ ...parts, committedAt: number }))), {
        source: `${UUID}:${parts.tag}`,
        number,
        committedAtMs: Math.floor(number / 1000),
      });
    }
  }
});

test("a GTID with a tag that is cut short, or of a form that is not known, is refused", () => {
  const body = bodyOf(taggedGtid({ uuid: UUID, tag: "tag", number: 5 }));
  for (let length = 0; length < body.length; length++) {
    assert.throws(() => read(body.subarray(0, length)), { code: "source.protocol" });
  }
  const version = Buffer.from(body);
  version[0] = 4;
  assert.throws(() => read(version), { code: "source.log_unreadable" });
  const fields = Buffer.from(body);
  fields[2] = 2 * 13;
  assert.throws(() => read(fields), { code: "source.log_unreadable" });
  const beyond = Buffer.concat([uint(2, 1), varint(14), varint(0), varint(2), varint(2n ** 60n)]);
  assert.throws(() => read(beyond), { code: "source.protocol" });
});
