import assert from "node:assert/strict";
import { test } from "node:test";
import { readCommandLine } from "./options.ts";

test("pairs and times are read", () => {
  assert.deepEqual(readCommandLine(["--minutes", "0.5", "--pairs", "postgres:mariadb,mariadb:postgres"]), {
    kind: "run",
    options: {
      minutes: 0.5,
      pairs: [
        { source: "postgres", target: "mariadb" },
        { source: "mariadb", target: "postgres" },
      ],
      clients: 4,
      scale: 1,
      rate: 0,
    },
  });
  assert.deepEqual(readCommandLine(["--help"]), { kind: "help" });
});

test("what is no pair, no number or no option is refused in words", () => {
  const refused = (...args: string[]): string => {
    const command = readCommandLine(args);
    assert.equal(command.kind, "refused");
    return command.kind === "refused" ? command.reason : "";
  };
  assert.match(refused("--pairs", "postgres"), /"postgres" is no pair/);
  assert.match(refused("--pairs", "oracle:postgres"), /is no pair/);
  assert.match(refused("--pairs", "postgres:mariadb:mariadb"), /is no pair/);
  assert.match(refused("--minutes", "0"), /--minutes takes a number from 0\.05/);
  assert.match(refused("--clients", "1.5"), /whole number/);
  assert.match(refused("--seed", "1"), /--seed/);
});
