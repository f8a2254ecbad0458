import assert from "node:assert/strict";
import { test } from "node:test";
import type { EndpointConfig } from "../../../core/engine.ts";
import { MigrationError } from "../../../core/error.ts";
import type { ErrorContext } from "../../shared/connection/error-context.ts";
import { classify } from "./errors.ts";
import { ServerError } from "./server-error.ts";

const table = { schema: "shop", name: "orders" };
const ENDPOINT: EndpointConfig = {
  ...{ engine: "mysql", host: "db", port: 3306, database: "", username: "app", password: "" },
  ...{ sslMode: "none", caCertificate: undefined, settings: {} },
};

function verdict(number: number, state: string, message: string, context: ErrorContext) {
  return classify(new ServerError({ number, state, message }), context);
}

test("a value never shows, the names beside it do", () => {
  const cases = [
    [1062, "23000", "Duplicate entry 'a secret' for key 'PRIMARY'", "key PRIMARY"],
    [1062, "23000", "Duplicate entry 'it's for key 'x'' for key 'orders.by_mail'", "key orders.by_mail"],
    [1406, "22001", "Data too long for column 'mail' at row 1", "column mail"],
    [
      1366,
      "22007",
      "Incorrect integer value: 'a secret' for column `shop`.`orders`.`n` at row 3",
      "column shop.orders.n",
    ],
    [1292, "22007", "Incorrect date value: 'a secret' for column 'day' at row 1", "column day"],
    [1048, "23000", "Column 'mail' cannot be null", "column mail"],
    [1644, "45000", "a secret of a trigger", undefined],
    [1064, "42000", "You have an error in your SQL syntax; ... near 'a secret' at line 1", undefined],
    [1525, "HY000", "Incorrect DATE value: 'a secret'", undefined],
  ] as const;
  for (const [number, state, text, shown] of cases) {
    const error = verdict(number, state, text, { side: "target", table });
    assert.equal(error.code, "load.rejected");
    assert.equal(error.nativeCode, String(number));
    assert.doesNotMatch(error.message, /secret/);
    const tail = shown === undefined ? "." : `, ${shown}.`;
    assert.equal(error.message, `The target answered with error ${number} (SQLSTATE ${state})${tail}`);
  }
});

test("texts about objects and rights are shown", () => {
  const text = "Table 'shop.orders' doesn't exist";
  assert.equal(
    verdict(1146, "42S02", text, { side: "source", table }).message,
    `The source answered with error 1146 (SQLSTATE 42S02): ${text}.`,
  );
});

test("what concerns the server is not the table's fault", () => {
  const cases = [
    [1040, "08004", "connect.too_many"],
    [1213, "40001", "target.busy"],
    [1205, "HY000", "target.busy"],
    [1290, "HY000", "target.read_only"],
    [1114, "HY000", "target.full"],
    [1053, "08S01", "connect.starting_up"],
  ] as const;
  for (const [number, state, code] of cases) {
    const text = "running with the --read-only option";
    const error = verdict(number, state, text, { side: "target", table, phase: "apply" });
    assert.equal(error.code, code);
    assert.equal(error.table, undefined);
  }
});

test("what was being done decides whose error it is", () => {
  const denied = "SELECT command denied to user 'u'@'h' for table 'orders'";
  assert.equal(verdict(1142, "42000", denied, { side: "source", table }).code, "source.table_privilege");
  assert.equal(verdict(1142, "42000", denied, { side: "target" }).code, "target.privilege");
  assert.equal(
    verdict(1054, "42S22", "Unknown column 'x'", { side: "target", table }).code,
    "target.table_mismatch",
  );
  const apply = { side: "target", table, phase: "apply" } as const;
  assert.equal(verdict(1062, "23000", "", apply).code, "apply.rejected");
  assert.equal(verdict(1412, "HY000", "", { side: "source", table }).code, "source.table_rewritten");
  assert.equal(verdict(1412, "HY000", "", { side: "source" }).code, "source.snapshot_lost");
  assert.equal(verdict(1054, "42S22", "", { side: "source", table }).code, "source.table_rewritten");
  assert.equal(verdict(1054, "42S22", "", { side: "source" }).code, "source.query_failed");
});

test("a remedy is a statement for the account, of the least privilege that will do", () => {
  const endpoint = { ...ENDPOINT, username: "o'app" };
  const lacking = (names: string): string =>
    `Access denied; you need (at least one of) the ${names} privilege(s) for this operation`;
  const remedyOf = (names: string): string =>
    verdict(1227, "42000", lacking(names), { side: "source", endpoint }).remedy;
  assert.equal(
    remedyOf("REPLICATION SLAVE"),
    "Run on the source: grant replication slave on *.* to 'o''app'@'...'; the host is the one that select current_user() shows to o'app.",
  );
  assert.match(remedyOf("SUPER, BINLOG MONITOR"), /: grant binlog monitor on /);
  assert.match(remedyOf("SUPER"), /: grant super on /);
  const denied = "SELECT command denied to user 'o'app'@'10.0.0.7' for table 'orders'";
  assert.match(
    verdict(1142, "42000", denied, { side: "source", endpoint, table }).remedy,
    /: grant select on `shop`\.`orders` to 'o''app'@'\.\.\.'; the host/,
  );
  assert.match(verdict(3118, "HY000", "", { side: "source", endpoint }).remedy, /alter user 'o''app'@/);
});

test("anything else thrown is a defect of the program", () => {
  assert.equal(
    classify(new TypeError("x is not a function"), { side: "source" }).code,
    "internal.unexpected",
  );
});

test("an error of ours gets the table that was at work when it is a table's, and keeps the rest", () => {
  const cause = new Error("why");
  const ours = new MigrationError("apply.rejected", {
    message: "It is too long.",
    remedy: "Raise it.",
    cause,
  });
  const located = classify(ours, { side: "target", table, phase: "apply" });
  assert.deepEqual(located.toJSON(), { ...ours.toJSON(), subject: "shop.orders", table });
  assert.equal(located.cause, cause);
  const named = new MigrationError("apply.rejected", { message: "m", table: { schema: "s", name: "other" } });
  assert.equal(classify(named, { side: "target", table }), named);
  const tasks = new MigrationError("target.privilege", { message: "m" });
  assert.equal(classify(tasks, { side: "target", table }), tasks);
});
