import { createHash } from "node:crypto";
import { ADDED_TO, added, besideIds } from "./rule-added-column.ts";
import type { RuleCase } from "./rule-case.ts";

/* Everything that expressions may say. */

function hashes(...ids: readonly number[]): readonly string[] {
  return ids.map((id) => createHash("sha256").update(`k${id}`).digest("hex").slice(0, 8));
}

const STRING = { type: "string", length: 100 };

/** Whether there is a value; which one it is, is known when it happens. */
const TOLD = `case when "added" is null then 'null' when "added" = '' then 'empty' else 'told' end`;
const always = { ...besideIds(["told", "told", "told"], ["told", "told", "told"]), shown: TOLD };
const ofChanges = { ...besideIds(["empty", "empty", "empty"], ["empty", "told", "told"]), shown: TOLD };

const expressions: Readonly<Record<string, RuleCase>> = {
  "the operation": added(
    "$AR_H_OPERATION",
    STRING,
    besideIds(["INSERT", "INSERT", "INSERT"], ["INSERT", "UPDATE", "INSERT"]),
  ),
  "the place in the log": added("$AR_H_STREAM_POSITION", STRING, ofChanges),
  "the number of the change": added("$AR_H_CHANGE_SEQ", STRING, ofChanges),
  "the time of the change": added("$AR_H_TIMESTAMP", STRING, always),
  "the time of the commit": added("$AR_H_COMMIT_TIMESTAMP", STRING, always),
  "the user": added("$AR_H_USER", STRING, {
    ...besideIds(["null", "null", "null"], ["null", "null", "null"]),
    shown: TOLD,
  }),
  "the table's names": added("$AR_M_SOURCE_SCHEMA || '.' || $AR_M_SOURCE_TABLE_NAME", STRING, {
    ...besideIds(["same", "same", "same"], ["same", "same", "same"]),
    shown: `case when "added" = '{schema}.t' then 'same' end`,
  }),
  "what became of a row": {
    ...added("operation_indicator('D', 'U', 'I')", STRING, besideIds([], [])),
    loaded: ["1", "2", "3"].map((id) => [id, "I"]),
    after: [..."IUDI"].map((what, at) => [String(at + 1), what]),
  },
  "a hash": added(
    "substr(hash_sha256('k' || $id), 1, 8)",
    STRING,
    besideIds(hashes(1, 2, 3), hashes(1, 2, 4)),
  ),
  "other characters": added(
    "replaceChars($v, 'oe', '0_')",
    STRING,
    besideIds(["0n_", "tw0", "thr__"], ["0n_", "zw_i", "f0ur"]),
  ),
  "the value before": {
    ...added(
      "coalesce($BI__v, '-') || $v",
      STRING,
      besideIds(["-one", "-two", "-three"], ["-one", "twozwei", "-four"]),
    ),
    made: { postgres: `${ADDED_TO}; alter table t replica identity full`, mariadb: ADDED_TO },
  },
};

export const ruleExpressionCases: ReadonlyMap<string, RuleCase> = new Map(
  Object.entries(expressions).map(([what, one]) => [`an expression with ${what}`, one]),
);
