import assert from "node:assert/strict";
import { test } from "node:test";
import { CopyFrames } from "./copy-frames.ts";

function frame(body: string, type = "d"): Buffer {
  const bytes = Buffer.alloc(5 + body.length);
  bytes.write(type, 0);
  bytes.writeInt32BE(4 + body.length, 1);
  bytes.write(body, 5);
  return bytes;
}

const run = Buffer.concat([frame("one\n"), frame(""), frame("three, the longest of them\n"), frame("4")]);
const after = frame("", "c");
const stream = Buffer.concat([run, after]);

interface Walked {
  readonly forwarded: Buffer;
  readonly rest: Buffer;
  readonly ended: number;
  readonly done: boolean;
}

/** Feeds chunks as copyOut does: what a walk leaves over goes in front of the next chunk. */
function walk(chunks: readonly Buffer[]): Walked {
  const frames = new CopyFrames();
  const forwarded: Buffer[] = [];
  let rest: Buffer = Buffer.alloc(0);
  let ended = 0;
  for (const chunk of chunks) {
    const bytes = Buffer.concat([rest, chunk]);
    frames.walk(bytes);
    forwarded.push(bytes.subarray(0, frames.length));
    rest = bytes.subarray(frames.taken);
    ended += frames.ended;
    // What follows the run belongs to somebody else.
    if (frames.done) break;
  }
  return { forwarded: Buffer.concat(forwarded), rest, ended, done: frames.done };
}

/** Bodies of whole CopyData frames, and how many there are. */
function read(bytes: Buffer): { readonly body: string; readonly frames: number } {
  const bodies: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    assert.equal(String.fromCharCode(bytes[at]!), "d");
    const end = at + 1 + bytes.readInt32BE(at + 1);
    assert.ok(end <= bytes.length, "the last frame is whole");
    bodies.push(bytes.subarray(at + 5, end));
    at = end;
  }
  return { body: Buffer.concat(bodies).toString(), frames: bodies.length };
}

const content = read(run).body;

test("a run cut at any two places is forwarded whole, and every frame is counted once", () => {
  for (let first = 0; first <= stream.length; first++) {
    for (let second = first; second <= stream.length; second++) {
      const chunks = [stream.subarray(0, first), stream.subarray(first, second), stream.subarray(second)];
      const walked = walk(chunks);
      assert.equal(read(walked.forwarded).body, content, `cut at ${first} and ${second}`);
      assert.equal(walked.ended, 4);
      assert.equal(walked.done, true);
      assert.deepEqual(walked.rest, after.subarray(0, walked.rest.length));
      assert.equal(walked.rest[0], after[0]);
    }
  }
});

test("a run that arrives byte by byte is forwarded whole", () => {
  const walked = walk(Array.from(stream, (_, at) => stream.subarray(at, at + 1)));
  assert.equal(read(walked.forwarded).body, content);
  assert.equal(walked.ended, 4);
});

test("frames that arrive together are forwarded as one, those longer than 64 kB by themselves", () => {
  assert.deepEqual(read(walk([stream]).forwarded), { body: content, frames: 1 });
  const long = "x".repeat((64 << 10) + 1);
  const mixed = Buffer.concat([frame("a"), frame("b"), frame(long), frame("c"), frame("d"), after]);
  const walked = walk([mixed]);
  assert.deepEqual(read(walked.forwarded), { body: `ab${long}cd`, frames: 3 });
  assert.equal(walked.ended, 5);
  assert.equal(read(walk([mixed.subarray(0, 100), mixed.subarray(100)]).forwarded).body, `ab${long}cd`);
});

test("a cut header is kept back, a cut body is not", () => {
  const frames = new CopyFrames();
  frames.walk(Buffer.from(stream.subarray(0, 3)));
  assert.equal(frames.length, 0);
  frames.walk(Buffer.from(stream.subarray(0, 7)));
  assert.equal(frames.length, 7);
  assert.equal(frames.ended, 0);
});

test("a walk that stops at ends goes from inside a frame to its end, and on from there", () => {
  for (let cut = 1; cut < stream.length; cut++) {
    const frames = new CopyFrames({ stopsAtEnds: true });
    const forwarded: Buffer[] = [];
    let ended = 0;
    let rest: Buffer = Buffer.alloc(0);
    for (const chunk of [stream.subarray(0, cut), stream.subarray(cut)]) {
      let bytes = Buffer.concat([rest, chunk]);
      do {
        const began = frames.cut;
        frames.walk(bytes);
        if (began) assert.equal(frames.ended, 1, "no more than the frame that was begun");
        forwarded.push(bytes.subarray(0, frames.length));
        ended += frames.ended;
        bytes = bytes.subarray(frames.taken);
      } while (frames.stopped);
      rest = bytes;
    }
    assert.equal(read(Buffer.concat(forwarded)).body, content, `cut at ${cut}`);
    assert.equal(ended, 4);
    assert.equal(frames.done, true);
    assert.equal(frames.cut, false);
  }
});

test("a run may go on after a message in its middle", () => {
  const frames = new CopyFrames();
  frames.walk(Buffer.concat([frame("one"), frame("", "N")]));
  assert.equal(frames.done, true);
  assert.equal(frames.length, 8);
  frames.walk(frame("two"));
  assert.equal(frames.done, false);
  assert.equal(frames.ended, 1);
});
