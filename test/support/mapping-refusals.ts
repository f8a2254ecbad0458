import { everything, rename } from "./mapping-rules.ts";

/** Rules that no document may hold, each for one reason, and the error that must follow. */
export const mappingRefusals: readonly {
  readonly because: string;
  readonly rules: unknown;
  readonly code?: "mapping.malformed" | "mapping.unsupported";
  readonly subject: string;
  readonly says: RegExp;
}[] = [
  {
    because: "the rules are not a list",
    rules: {},
    subject: "table mappings",
    says: /^Error in mapping rules\. "rules" must be a list, not an object\.$/,
  },
  { because: "there is no rule", rules: [], subject: "table mappings", says: /At least one selection rule/ },
  {
    because: "no selection rule includes anything",
    rules: [{ ...everything, "rule-action": "exclude" }, rename],
    subject: "table mappings",
    says: /At least one selection rule that includes tables/,
  },
  { because: "a rule is a text", rules: ["x"], subject: "rule at place 1: rules", says: /must be an object/ },
  { because: "a rule is null", rules: [null], subject: "rule at place 1: rules", says: /not null/ },
  {
    because: "a rule has no id",
    rules: [everything, { ...rename, "rule-id": undefined }],
    subject: "rule at place 2: rule-id",
    says: /^Error in mapping rules\. Rule at place 2 failed validation\. rule-id is missing\.$/,
  },
  {
    because: "two rules have one id",
    rules: [everything, { ...rename, "rule-id": 1 }],
    subject: "rule 1: rule-id",
    says: /^Error in mapping rules\. Rule with ruleId = 1 failed validation\. Another rule has the same rule-id\.$/,
  },
  {
    because: "two ids are one number",
    rules: [everything, { ...rename, "rule-id": "01" }],
    subject: "rule 01: rule-id",
    says: /same rule-id/,
  },
  ...["a", "1.5", "-1", -1, 1.5, "", true, "99999999999999999999"].map((id) => ({
    because: `the rule-id is ${JSON.stringify(id)}`,
    rules: [everything, { ...rename, "rule-id": id }],
    subject: id === "" || id === true ? "rule at place 2: rule-id" : `rule ${id}: rule-id`,
    says: /rule-id must be a whole number/,
  })),
  {
    because: "the rule-name is an object",
    rules: [{ ...everything, "rule-name": {} }],
    subject: "rule 1: rule-name",
    says: /rule-name must be a text/,
  },
  {
    because: "the rule-type is missing",
    rules: [{ ...everything, "rule-type": undefined }],
    subject: "rule 1: rule-type",
    says: /rule-type is missing/,
  },
  {
    because: "the rule-type is not one of DMS's",
    rules: [{ ...everything, "rule-type": "Selection" }],
    subject: "rule 1: rule-type",
    says: /"Selection" is not a rule-type/,
  },
  {
    because: "the rule-action of a selection is unknown",
    rules: [{ ...everything, "rule-action": "rename" }],
    subject: "rule 1: rule-action",
    says: /include, exclude or explicit/,
  },
  {
    because: "there is no object-locator",
    rules: [{ ...everything, "object-locator": undefined }],
    subject: "rule 1: object-locator",
    says: /object-locator is missing/,
  },
  {
    because: "the object-locator is a list",
    rules: [{ ...everything, "object-locator": [] }],
    subject: "rule 1: object-locator",
    says: /must be an object, not a list/,
  },
  {
    because: "the table-name is missing",
    rules: [{ ...everything, "object-locator": { "schema-name": "%" } }],
    subject: "rule 1: object-locator.table-name",
    says: /^Error in mapping rules\. Rule with ruleId = 1 failed validation\. object-locator\.table-name is missing\.$/,
  },
  {
    because: "the schema-name is a number",
    rules: [{ ...everything, "object-locator": { "schema-name": 1, "table-name": "%" } }],
    subject: "rule 1: object-locator.schema-name",
    says: /must be a text, not a number/,
  },
  {
    because: "a pattern's range runs backwards",
    rules: [{ ...everything, "object-locator": { "schema-name": "[z-a]", "table-name": "%" } }],
    subject: "rule 1: object-locator.schema-name",
    says: /the range \[z-a\] runs backwards/,
  },
  ...["%", "a%", "[ab]", "x[_]y"].map((name) => ({
    because: `an explicit rule has the pattern ${name}`,
    rules: [
      {
        ...everything,
        "rule-action": "explicit",
        "object-locator": { "schema-name": "s", "table-name": name },
      },
    ],
    subject: "rule 1: object-locator.table-name",
    says: /Exact schema and table name required/,
  })),
  {
    because: "a selection locator names a column",
    rules: [
      { ...everything, "object-locator": { "schema-name": "%", "table-name": "%", "column-name": "c" } },
    ],
    subject: "rule 1: object-locator.column-name",
    says: /no member "column-name"/,
  },
  {
    because: "a schema rule's locator names a table",
    rules: [
      everything,
      { ...rename, "rule-target": "schema", "object-locator": { "schema-name": "a", "table-name": "t" } },
    ],
    subject: "rule 2: object-locator.table-name",
    says: /no member "table-name"/,
  },
  ...["1", 0.5, -1, 2147483648, "x", true].flatMap((order) =>
    order === "1"
      ? []
      : [
          {
            because: `the load-order is ${JSON.stringify(order)}`,
            rules: [{ ...everything, "load-order": order }],
            subject: "rule 1: load-order",
            says: /load-order must be a whole number/,
          },
        ],
  ),
  {
    because: "a rule that excludes tables has a load-order",
    rules: [everything, { ...everything, "rule-id": 2, "rule-action": "exclude", "load-order": 1 }],
    subject: "rule 2: load-order",
    says: /load-order says how early included tables are loaded; this rule excludes tables/,
  },
  {
    because: "a rule that excludes tables has filters",
    rules: [
      everything,
      {
        ...{ ...everything, "rule-id": 2, "rule-action": "exclude" },
        filters: [
          {
            ...{ "filter-type": "source", "column-name": "id" },
            "filter-conditions": [{ "filter-operator": "null" }],
          },
        ],
      },
    ],
    subject: "rule 2: filters",
    says: /filters say which rows of included tables come; this rule excludes tables/,
  },
  {
    because: "a table-type is not known",
    rules: [
      { ...everything, "object-locator": { "schema-name": "%", "table-name": "%", "table-type": "index" } },
    ],
    subject: "rule 1: object-locator.table-type",
    says: /table, view or all/,
  },
  {
    because: "a rename has no value",
    rules: [everything, { ...rename, value: undefined }],
    subject: "rule 2: value",
    says: /value is missing/,
  },
  {
    because: "a rename has an empty value",
    rules: [everything, { ...rename, value: "" }],
    subject: "rule 2: value",
    says: /value is empty/,
  },
  {
    because: "a replacement lacks the old value",
    rules: [everything, { ...rename, "rule-action": "replace-prefix" }],
    subject: "rule 2: old-value",
    says: /old-value is missing/,
  },
  {
    because: "the rule-target is unknown",
    rules: [everything, { ...rename, "rule-target": "database" }],
    subject: "rule 2: rule-target",
    says: /not a rule-target/,
  },
  {
    because: "the rule-action of a transformation is unknown",
    rules: [everything, { ...rename, "rule-action": "include" }],
    subject: "rule 2: rule-action",
    says: /not a rule-action/,
  },
  {
    because: "a column action stands at a table",
    rules: [everything, { ...rename, "rule-action": "remove-column" }],
    subject: "rule 2: rule-action",
    says: /not a rule-action/,
  },
  ...["validation", "object-mapping", "post-processing"].map((type) => ({
    because: `the rule-type is ${type}`,
    code: "mapping.unsupported" as const,
    rules: [everything, { ...rename, "rule-type": type }],
    subject: "rule 2: rule-type",
    says: new RegExp(`Rules of the rule-type ${type} are for `),
  })),
  ...["table-tablespace", "index-tablespace"].map((target) => ({
    because: `the rule-target is ${target}`,
    code: "mapping.unsupported" as const,
    rules: [everything, { ...rename, "rule-target": target }],
    subject: "rule 2: rule-target",
    says: new RegExp(`The rule-target "${target}" is of Oracle`),
  })),
  {
    because: "a name comes from an expression",
    code: "mapping.unsupported",
    rules: [everything, { ...rename, expression: "$AR_M_SOURCE_TABLE_NAME" }],
    subject: "rule 2: expression",
    says: /rename by expression is not supported/,
  },
  {
    because: "a selection asks for a parallel load",
    code: "mapping.unsupported",
    rules: [{ ...everything, "parallel-load": { type: "partitions-auto" } }],
    subject: "rule 1: parallel-load",
    says: /"parallel-load" is not supported/,
  },
  {
    because: "a member's name is mistyped",
    code: "mapping.unsupported",
    rules: [{ ...everything, "load-oder": 1 }],
    subject: "rule 1: load-oder",
    says: /"load-oder" is not supported/,
  },
];
