import assert from "node:assert/strict";
import { test } from "node:test";
import { readCommandLine } from "./options.ts";
import { profiles, selectProfiles } from "./profiles.ts";

const choice = { all: profiles, select: selectProfiles, serverVersions: [15, 18] };
const read = (...args: string[]) => readCommandLine(args, choice);

test("without a word everything is measured once at its own size, three times each", () => {
  const command = read();
  assert.equal(command.kind, "run");
  assert.deepEqual(command.kind === "run" && { ...command.options, profiles: [] }, {
    profiles: [],
    scales: [1],
    pairs: 3,
    memory: false,
    serverVersion: undefined,
    peers: undefined,
    json: undefined,
  });
  assert.equal(command.kind === "run" && command.options.profiles.length, profiles.length);
});

test("a family's name stands for all of its cases", () => {
  const command = read("pg-lag", "pg-lag/1000");
  assert.deepEqual(command.kind === "run" && command.options.profiles.map(({ name }) => name), [
    "pg-lag/1000",
    "pg-lag/saturated",
    "pg-lag/bulk",
  ]);
});

test("what is not understood is refused with what is", () => {
  const reasons: readonly (readonly [string[], RegExp])[] = [
    [["pg-what"], /no profile pg-what\. There are: pg-narrow, pg-lineitem/],
    [["--scale", "0"], /--scale takes a number from 0.0001 to 1000/],
    [["--scale", "1,,2"], /--scale/],
    [["--pairs", "2.5"], /--pairs takes a whole number/],
    [["--server", "9"], /--server takes one of 15, 18/],
    [["--peers", "rsync", "pg-many"], /no peer "rsync"\. These profiles have: pgcopydb, dump\/restore/],
    [["--fast"], /--fast/],
  ];
  for (const [args, reason] of reasons) {
    const command = read(...args);
    assert.equal(command.kind, "refused", args.join(" "));
    assert.match(command.kind === "refused" ? command.reason : "", reason);
  }
});

test("every profile has a name of its own, Tideway first, and targets about peers it has", () => {
  assert.equal(new Set(profiles.map(({ name }) => name)).size, profiles.length);
  for (const { name, contenders, targets } of profiles) {
    const names = contenders.map((contender) => contender.name);
    assert.equal(names[0], "tideway", name);
    for (const peer of targets.flatMap(({ peers }) => peers))
      assert.ok(names.includes(peer), `${name}: ${peer}`);
  }
});
