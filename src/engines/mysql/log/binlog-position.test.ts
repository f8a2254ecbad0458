import assert from "node:assert/strict";
import { test } from "node:test";
import type { Position } from "../../../core/position.ts";
import { gtidPositionOf, placeOf, positionCodec } from "./binlog-position.ts";
import { containsGtids, parseGtids } from "./gtid.ts";

const A = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const B = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

test("positions are read as servers, people and DMS write them", () => {
  const at = positionCodec.parse.bind(positionCodec);
  assert.deepEqual(at(" mysql-bin.000003:1234 "), { kind: "mysql-binlog", text: "mysql-bin.000003:1234" });
  assert.deepEqual(at("0-1-5"), { kind: "mysql-gtid", text: "0-1-5" });
  assert.deepEqual(at(`${A.toUpperCase()}:1-5`), { kind: "mysql-gtid", text: `${A}:1-5` });
  const checkpoint =
    "checkpoint:V1#27#mysql-bin-changelog.157832:1975:-1:2002:677883278264080:mysql-bin-changelog.157832:1876#0#0#*#0#93";
  assert.equal(at(checkpoint).text, "mysql-bin-changelog.157832:1975");
  assert.equal(at("checkpoint:V1#27#0-1-5#0#0#*#0#93").text, "0-1-5");
  assert.deepEqual(placeOf(at("a.b-c.000003:4")), { file: "a.b-c.000003", byte: 4 });
});

test("what is no position of a binary log is refused", () => {
  for (const text of ["", "now", "16/B374D848", "mysql-bin.000003", "mysql-bin:5", "checkpoint:V1#1##0"]) {
    assert.throws(() => positionCodec.parse(text), { code: "position.malformed" }, text);
  }
});

test("files are ordered by their number, however many digits it has", () => {
  const compare = (a: string, b: string) =>
    positionCodec.compare(positionCodec.parse(a), positionCodec.parse(b));
  assert.equal(compare("bin.999999:5", "bin.1000000:4"), -1);
  assert.equal(compare("bin.000002:40", "bin.000002:5"), 1);
  assert.equal(compare("bin.000002:40", "bin.000002:40"), 0);
  assert.equal(compare("bin.000002:40", "other.000002:50"), undefined);
  assert.equal(compare("bin.000002:40", "0-1-5"), undefined);
});

test("sets of GTIDs are ordered as one contains the other, and not at all where neither does", () => {
  const positions: readonly Position[] = [
    ...["", `${A}:1-5`, `${A}:1-12`, `${A}:1-5,${B}:1-3`, `${A}:1-5:9,${B}:1-3`, `${A}:1-6,${B}:1-30`],
    ...[
      `${A}:2-5`,
      `${A}:5`,
      `${A}:9`,
      `${B}:1-3`,
      "0-1-5",
      "0-1-12",
      "0-2-5",
      "0-2-6",
      "10-1-5",
      "0-1-5,1-1-7",
    ],
    ...["3e11fa47-71ca-11e1-9e33-111111111111:1-5", "3e11fa47-71ca-11e1-9e33-111111111112:1-5"],
  ].map(gtidPositionOf);
  for (const a of positions) {
    for (const b of positions) {
      const [setA, setB] = [parseGtids(a.text), parseGtids(b.text)];
      const [below, above] = [containsGtids(setB, setA), containsGtids(setA, setB)];
      const expected = below && above ? 0 : below ? -1 : above ? 1 : undefined;
      assert.equal(positionCodec.compare(a, b), expected, `${a.text} ${b.text}`);
    }
  }
});
