import assert from "node:assert/strict";
import { test } from "node:test";
import { faultNames } from "./fault-plan.ts";
import { readCommandLine } from "./options.ts";

test("without arguments it is half an hour with a fault every 20 seconds, by a seed of its own", () => {
  assert.deepEqual(readCommandLine([], 42), {
    kind: "run",
    options: { minutes: 30, everyS: 20, seed: 42, faults: faultNames, rate: 200, rows: 50_000 },
  });
});

test("time, pace, seed and faults can be chosen", () => {
  const args = ["--minutes", "0.5", "--every=5", "--seed", "7", "--faults", "source-crashed, worker-killed"];
  const command = readCommandLine([...args, "--rate", "50", "--rows", "2000"], 42);
  assert.deepEqual(command, {
    kind: "run",
    options: {
      ...{ minutes: 0.5, everyS: 5, seed: 7, rate: 50, rows: 2000 },
      faults: ["source-crashed", "worker-killed"],
    },
  });
});

test("what makes no sense is refused with what would", () => {
  const reason = (...args: string[]): string => {
    const command = readCommandLine(args, 1);
    assert.equal(command.kind, "refused");
    return command.kind === "refused" ? command.reason : "";
  };
  assert.match(reason("--minutes", "0"), /--minutes takes a number from 0.1 to 10000, and not "0"/);
  assert.match(reason("--every", ""), /--every takes a number/);
  assert.match(reason("--seed", "1.5"), /--seed takes a whole number/);
  assert.match(reason("--faults", "flood"), /There is no fault "flood"\. There are: worker-killed/);
  assert.match(reason("--fault", "x"), /--fault/);
  assert.deepEqual(readCommandLine(["--help"], 1), { kind: "help" });
});
