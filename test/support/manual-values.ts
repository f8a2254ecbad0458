import { createHash } from "node:crypto";
import { ALL, FIRST, type ManualExample, selecting, transforming } from "./manual-rules.ts";

/* The manual's examples of expressions and masks. */

const DEPT = ["test", "employee", "dept"];

function adding(value: string, expression: string, length: number): readonly object[] {
  const type = { type: "string", length };
  return [
    selecting("test"),
    transforming("column", "add-column", ["%", "%"], { value, expression, "data-type": type }),
  ];
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

export const manualValues: readonly ManualExample[] = [
  {
    what: "join columns in an expression",
    rules: adding("full_name", "$dept||'_'||$col1", 50),
    made: `test.employee: ${ALL} full_name`,
    first: `${FIRST},a1_c`,
  },
  {
    what: "decide by an expression",
    rules: adding("seniority", "CASE WHEN round($SALE_AMOUNT)>=20000 THEN 'SENIOR' ELSE 'JUNIOR' END", 10),
    made: `test.employee: ${ALL} seniority`,
    first: `${FIRST},JUNIOR`,
  },
  {
    what: "hash a number in an expression",
    rules: adding("hashed", "hash_sha256($dept)", 64),
    made: `test.employee: ${ALL} hashed`,
    first: `${FIRST},${sha256("a1")}`,
  },
  {
    what: "tell where a change stands in the log",
    rules: adding("transact_id", "$AR_H_STREAM_POSITION", 50),
    made: `test.employee: ${ALL} transact_id`,
    first: `${FIRST},""`,
  },
  {
    what: "hash a column",
    rules: [selecting("test"), transforming("column", "data-masking-hash-mask", DEPT)],
    made: `test.employee: ${ALL}`,
    first: `10,${sha256("a1")},2001-12-31,p,c,0.50`,
  },
  {
    what: "make digits others at random, where there are some",
    rules: [
      selecting("test"),
      transforming("column", "data-masking-digits-randomize", ["test", "employee", "Pre%"]),
    ],
    made: `test.employee: ${ALL}`,
    first: FIRST,
  },
];
