import assert from "node:assert/strict";
import { test } from "node:test";
import { BareDigits } from "./bare-digits.ts";

/** Rows in frames of a few bytes each, cut at another place than the chunks. */
function framed(text: string, size: number): Buffer {
  const bytes = Buffer.from(text);
  const frames: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    const body = bytes.subarray(at, at + size);
    const head = Buffer.from([0x64, 0, 0, 0, 0]);
    head.writeUInt32BE(body.length + 4, 1);
    frames.push(head, body);
  }
  return Buffer.concat(frames);
}

/** What stands in frames, each of which must be whole. */
function bodyOf(chunk: Uint8Array): Buffer {
  if (chunk.length === 0) return Buffer.alloc(0);
  const bytes = Buffer.from(chunk);
  assert.equal(bytes.readUInt32BE(1), bytes.length - 1);
  return bytes.subarray(5);
}

function converted(text: string, pieces: { readonly frame: number; readonly chunk: number }): string {
  const digits = new BareDigits([false, true, false, true]);
  const bytes = framed(text, pieces.frame);
  const bodies: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += pieces.chunk) {
    bodies.push(bodyOf(digits.convert(bytes.subarray(at, at + pieces.chunk))));
  }
  return Buffer.concat(bodies).toString();
}

const point = "0101000000000000000000f03f0000000000000040";
const inSystem = (digits: string): string => `0101000020${digits}000000000000f03f0000000000000040`;

test("cells of shapes lose their mark and others stay, wherever rows are cut", () => {
  const text = `1\t\\\\x${point}\t\\\\x00\t\\N\n\\N\t\\N\tä\\\\\\t\\\tN\t\\\\x${inSystem("3f420f00")}\n\t\\\\x\t\t\\\\x01\n`;
  const expected = `1\t${point}\t\\\\x00\t\\N\n\\N\t\\N\tä\\\\\\t\\\tN\t${inSystem("3f420f00")}\n\t\t\t01\n`;
  for (const frame of [1, 2, 7, 1000]) {
    for (const chunk of [1, 3, 10, 10_000]) assert.equal(converted(text, { frame, chunk }), expected);
  }
});

test("a shape of a reference system that PostGIS would take another for becomes one that it refuses", () => {
  for (const digits of ["40420f00", "ffffffff"]) {
    const text = `1\t\\\\x${inSystem(digits)}\t\t\\N\n`;
    assert.match(converted(text, { frame: 9, chunk: 11 }), /^1\t0101000020[\da-f]{7}z000000/);
  }
  // Not where no number follows.
  const plain = `1\t\\\\x0101000000ffffffff\t\t\\N\n`;
  assert.equal(converted(plain, { frame: 9, chunk: 11 }), "1\t0101000000ffffffff\t\t\\N\n");
});
