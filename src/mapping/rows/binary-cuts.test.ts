import assert from "node:assert/strict";
import { test } from "node:test";
import { firstBytes, frame, mappedRows, numbers } from "../../../test/support/copy-rows.ts";
import { INT, mappedPlan, TEXT } from "../../../test/support/mapped-plan.ts";
import type { LogicalType } from "../../core/schema.ts";
import { BinaryCuts } from "./binary-cuts.ts";

const BYTES: LogicalType = { kind: "bytes", fixed: false };
const PIECES = ["", "a", "bc", "é", "€", "𝄞", "0123456789"];

/** Signature, flags, and an extension as long as the pick. */
function header(extension: number): Buffer {
  const size = Buffer.alloc(8);
  size.writeInt32BE(extension, 4);
  return Buffer.concat([Buffer.from("PGCOPY\n\xff\r\n\0", "latin1"), size, Buffer.alloc(extension, 7)]);
}

const trailer = Buffer.from([0xff, 0xff]);

function written(row: readonly (Buffer | null)[]): Buffer {
  const count = Buffer.alloc(2);
  count.writeInt16BE(row.length);
  const cells = row.flatMap((cell) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(cell?.length ?? -1);
    return cell === null ? [length] : [length, cell];
  });
  return Buffer.concat([count, ...cells]);
}

test("values are cut off in the binary format, whatever is in them and wherever chunks end", () => {
  const pick = numbers(3);
  for (let round = 0; round < 400; round++) {
    const width = 1 + pick(4);
    const types = Array.from({ length: width }, () => [TEXT, BYTES, INT][pick(3)]!);
    const limits = types.map((type) => (type === INT || pick(3) === 0 ? undefined : 1 + pick(30)));
    const columns = limits.map((cut, ordinal) => {
      return { kind: "column" as const, ordinal, ...(cut === undefined ? {} : { cut }) };
    });
    const rows = Array.from({ length: pick(12) }, () =>
      types.map(() =>
        pick(6) === 0 ? null : Array.from({ length: pick(9) }, () => PIECES[pick(PIECES.length)]!).join(""),
      ),
    );
    let cuts = 0;
    const expected = rows.map((row) =>
      row.map((value, i) => {
        if (value === null) return null;
        const limit = limits[i] ?? Infinity;
        const whole = Buffer.from(value);
        if (whole.length > limit) cuts++;
        return types[i] === BYTES ? whole.subarray(0, limit) : Buffer.from(firstBytes(value, limit));
      }),
    );
    const mapper = new BinaryCuts(mappedPlan({ reads: types, columns }));
    const begin = header(pick(3) * 5);
    const sent = rows.map((row) => written(row.map((value) => (value === null ? null : Buffer.from(value)))));
    const found = mappedRows([begin, ...sent, trailer], { mapper, pick });
    const wanted = Buffer.concat([begin, ...expected.map(written), trailer]);
    assert.deepEqual(found, wanted, `round ${round}`);
    assert.equal(mapper.cuts, cuts, `round ${round}`);
  }
});

test("rows count that end where all of a chunk is cut off", () => {
  const plan = mappedPlan({ reads: [TEXT], columns: [{ kind: "column", ordinal: 0, cut: 3 }] });
  const mapper = new BinaryCuts(plan);
  const sent = Buffer.concat([header(0), written([Buffer.from("abcdefgh")])]);
  const chunk = frame(sent);
  const counts = [
    mapper.map({ bytes: chunk.subarray(0, -2), rows: 0 }),
    mapper.map({ bytes: chunk.subarray(-2), rows: 1 }),
    mapper.map({ bytes: frame(trailer), rows: 0 }),
  ].map((mapped) => mapped?.rows);
  assert.deepEqual(counts, [0, undefined, 1]);
});

test("a value that is to be cut off is an error of the table where none may be", () => {
  const cut = mappedPlan({ reads: [TEXT], columns: [{ kind: "column", ordinal: 0, cut: 3 }] });
  const mapper = new BinaryCuts({ ...cut, rows: { ...cut.rows, refusesCuts: true } });
  const rows = [header(0), written([Buffer.from("abc")]), written([Buffer.from("abcd")])];
  assert.throws(() => mappedRows(rows, { mapper, pick: numbers(1) }), { code: "mapping.value_cut" });
});
