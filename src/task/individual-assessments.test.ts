import assert from "node:assert/strict";
import { test } from "node:test";
import type { ErrorCode } from "../core/error.ts";
import type { Finding } from "../core/finding.ts";
import {
  type AssessedPair,
  applicableAssessments,
  individualResults,
  OTHER_FINDINGS,
  runStatus,
} from "./individual-assessments.ts";

const postgres = { family: "postgres", name: "aurora-postgresql" };
const mysql = { family: "mysql", name: "mysql" };
const mariadb = { family: "mysql", name: "mariadb" };

function pair(
  source: AssessedPair["source"],
  target: AssessedPair["target"],
  type: AssessedPair["type"] = "full-load-and-cdc",
): AssessedPair {
  return { source, target, type };
}

function found(code: ErrorCode, severity: Finding["severity"], subject = "x"): Finding {
  return { code, severity, subject, message: "m", remedy: "r" };
}

test("the assessments that apply depend on both engines and on whether changes are captured", () => {
  const both = applicableAssessments(pair(postgres, mysql));
  assert.ok(both.includes("postgres-check-wallevel") && both.includes("mysql-check-target-privileges"));
  assert.ok(
    !both.includes("mysql-check-binlog-format") && !both.includes("postgres-check-target-privileges"),
  );
  const load = applicableAssessments(pair(postgres, mysql, "full-load"));
  assert.ok(!load.includes("postgres-check-wallevel") && load.includes("postgres-check-dbversion"));
  const maria = applicableAssessments(pair(mariadb, mariadb));
  assert.ok(
    maria.includes("mariadb-check-binlog-format") && maria.includes("mariadb-check-target-privileges"),
  );
  for (const names of [both, load, maria]) {
    assert.equal(new Set(names).size, names.length);
    assert.ok(
      names.includes(OTHER_FINDINGS) &&
        names.every((name) => !/^mysql-/.test(name) || names === both || names === load),
    );
  }
});

test("a finding fails the assessments that are about it, by its subject where a code has several", () => {
  const of = pair(postgres, postgres);
  const names = applicableAssessments(of);
  const states = (findings: readonly Finding[]): Record<string, string> =>
    Object.fromEntries(
      individualResults(of, findings, names)
        .filter(({ status }) => status !== "passed" && status !== "skipped")
        .map(({ name, status }) => [name, status]),
    );
  assert.deepEqual(states([]), {});
  assert.deepEqual(states([found("source.no_free_slot", "error", "max_wal_senders")]), {
    "postgres-check-maxwalsenders": "failed",
  });
  assert.deepEqual(states([found("source.long_transaction", "warning", "prepared transaction x")]), {
    "postgres-check-preparedtxn": "warning",
  });
  // What an assessment is about and nothing else counts, however little it is; beside other things it does not.
  assert.deepEqual(states([found("source.log_limit", "info", "max_slot_wal_keep_size")]), {
    "postgres-check-maxslot-wal-keep-size": "warning",
  });
  assert.deepEqual(states([found("target.table_dropped", "info")]), {});
  assert.deepEqual(states([found("source.no_key", "error", "s.t")]), {
    "postgres-check-pk": "failed",
    "table-with-no-primary-key-or-unique-constraint": "failed",
  });
});

test("what no assessment of AWS's is about is in Tideway's own", () => {
  const of = pair(mysql, postgres);
  const other = found("target.encoding", "warning");
  const results = individualResults(
    of,
    [other, found("source.binary_log_format", "error")],
    applicableAssessments(of),
  );
  assert.deepEqual(
    results
      .filter(({ findings }) => findings.length > 0)
      .map(({ name, findings }) => [name, findings[0]!.code]),
    [
      ["mysql-check-binlog-format", "source.binary_log_format"],
      [OTHER_FINDINGS, "target.encoding"],
    ],
  );
});

test("an assessment of a limit that Tideway has not is skipped, and makes no run fail", () => {
  const of = pair(mariadb, mysql);
  const results = individualResults(
    of,
    [found("source.not_moved", "info")],
    ["mariadb-check-source-network-parameter", "mysql-check-fk-target", OTHER_FINDINGS],
  );
  assert.deepEqual(
    results.map(({ status }) => status),
    ["skipped", "skipped", "passed"],
  );
  assert.equal(runStatus(results), "passed");
  assert.ok(!applicableAssessments(pair(mysql, mysql)).some((name) => name.includes("source-network")));
});
