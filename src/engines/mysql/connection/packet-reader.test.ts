import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { SocketReader } from "../../shared/connection/socket-reader.ts";
import { PacketReader } from "./packet-reader.ts";

const payloads = [5, 0, 1, 300, 0, 70, 4, 2].map((length, i) => Buffer.alloc(length, `${i}`));
const sent = Buffer.concat(
  payloads.flatMap((payload, i) => [
    Buffer.from([payload.length & 0xff, payload.length >> 8, 0, i]),
    payload,
  ]),
);

/** A reader to which the bytes come in pieces of a size. */
function readerOf(bytes: Buffer, size: number): PacketReader {
  const stream = new PassThrough();
  const reader = new PacketReader(new SocketReader(stream));
  for (let at = 0; at < bytes.length; at += size) stream.write(bytes.subarray(at, at + size));
  return reader;
}

test("packets are the same however their bytes arrive", async () => {
  for (let size = 1; size <= sent.length; size++) {
    const reader = readerOf(sent, size);
    const read: Buffer[] = [];
    while (read.length < payloads.length) {
      while (reader.next()) {
        assert.equal(reader.sequence, read.length);
        read.push(reader.bytes.subarray(reader.start, reader.end));
      }
      if (read.length < payloads.length) await reader.fill();
    }
    assert.deepEqual(read, payloads, `in pieces of ${size}`);
    assert.equal(reader.pending, false);
  }
});

test("what has arrived behind a packet is the rest, whoever takes it, and can be put back", async () => {
  for (const size of [7, 100, 150, sent.length]) {
    for (const packets of [1, 3, 4, 6]) {
      const reader = readerOf(sent, size);
      for (let i = 0; i < packets; i++) await reader.read();
      const parts = [reader.takeRest()];
      const before = payloads.slice(0, packets).reduce((sum, { length }) => sum + 4 + length, 0);
      for (let length = parts[0]!.length; before + length < sent.length; length += parts.at(-1)!.length) {
        parts.push(await reader.more());
      }
      const rest = Buffer.concat(parts);
      assert.deepEqual(rest, sent.subarray(before), `${packets} packets in pieces of ${size}`);
      reader.putBack(rest);
      for (const payload of payloads.slice(packets)) {
        await reader.read();
        assert.deepEqual(reader.bytes.subarray(reader.start, reader.end), payload);
      }
    }
  }
});
