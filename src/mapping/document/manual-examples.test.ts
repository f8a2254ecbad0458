import assert from "node:assert/strict";
import { test } from "node:test";
import { catalog, column, compile, table } from "../../../test/support/plan-situation.ts";
import type { TablePlan } from "../../core/plan.ts";
import { displayTable } from "../../core/schema.ts";
import { parseTableMappings } from "../table-mappings.ts";

/* Documents of the kinds that AWS's manual shows, section by section, and what they make of a table. */

const TEXT = { kind: "string", fixed: false, maxChars: 64 } as const;

function selecting(schema: string, name = "%", more: object = {}): object {
  return {
    ...{ "rule-type": "selection", "rule-id": "1", "rule-name": "1", "rule-action": "include" },
    "object-locator": { "schema-name": schema, "table-name": name },
    ...more,
  };
}

function transforming(target: string, action: string, locator: readonly string[], more: object = {}): object {
  const [schema, name, of] = locator;
  return {
    ...{
      "rule-type": "transformation",
      "rule-id": "2",
      "rule-name": "2",
      "rule-target": target,
      "rule-action": action,
    },
    "object-locator": {
      "schema-name": schema,
      ...(name === undefined ? {} : { "table-name": name }),
      ...(of === undefined ? {} : { "column-name": of }),
    },
    ...more,
  };
}

function filtered(name: string, ...conditions: readonly object[]): object {
  return { "filter-type": "source", "column-name": name, "filter-conditions": conditions };
}

const employee = table("test.employee", {
  columns: [
    column("empid", { kind: "int", bits: 32, unsigned: false }, { nullable: false }),
    column("dept", TEXT),
    column("empstartdate", { kind: "date" }),
    column("Pre_1", TEXT),
    column("col1", TEXT),
    column("SALE_AMOUNT", { kind: "decimal", precision: 12, scale: 2 }),
  ],
});

function made(plan: TablePlan): string {
  const columns = plan.target.columns.map(({ name }) => name).join(" ");
  return `${displayTable(plan.target.id)}: ${columns}${plan.rows?.filter === undefined ? "" : ` | ${JSON.stringify(plan.rows.filter)}`}`;
}

const ALL = "empid dept empstartdate Pre_1 col1 SALE_AMOUNT";

const examples: readonly (readonly [what: string, rules: readonly object[], made: string])[] = [
  [
    "rename a schema",
    [selecting("test"), transforming("schema", "rename", ["test"], { value: "test1" })],
    `test1.employee: ${ALL}`,
  ],
  [
    "rename a table",
    [selecting("test"), transforming("table", "rename", ["test", "employee"], { value: "staff" })],
    `test.staff: ${ALL}`,
  ],
  [
    "rename a column",
    [selecting("test"), transforming("column", "rename", ["test", "employee", "dept"], { value: "d" })],
    "test.employee: empid d empstartdate Pre_1 col1 SALE_AMOUNT",
  ],
  [
    "add a column",
    [
      selecting("test"),
      transforming("column", "add-column", ["test", "employee"], {
        value: "last_updated",
        "data-type": { type: "datetime", precision: 6 },
      }),
    ],
    `test.employee: ${ALL} last_updated`,
  ],
  [
    "remove columns",
    [selecting("test"), transforming("column", "remove-column", ["test", "employee", "col%"])],
    "test.employee: empid dept empstartdate Pre_1 SALE_AMOUNT",
  ],
  [
    "convert all columns to upper case",
    [selecting("test"), transforming("column", "convert-uppercase", ["%", "%", "%"])],
    "test.employee: EMPID DEPT EMPSTARTDATE PRE_1 COL1 SALE_AMOUNT",
  ],
  [
    "add a prefix to tables",
    [selecting("test"), transforming("table", "add-prefix", ["test", "%"], { value: "DMS_" })],
    `test.DMS_employee: ${ALL}`,
  ],
  [
    "replace a prefix of columns",
    [
      selecting("test"),
      transforming("column", "replace-prefix", ["%", "%", "%"], { value: "NewPre_", "old-value": "Pre_" }),
    ],
    "test.employee: empid dept empstartdate NewPre_1 col1 SALE_AMOUNT",
  ],
  [
    "define a primary key",
    [
      selecting("test"),
      transforming("table", "define-primary-key", ["test", "employee"], {
        "primary-key-def": { name: "pk1", columns: ["empid", "dept"] },
      }),
    ],
    `test.employee: ${ALL}`,
  ],
  [
    "change a data type",
    [
      selecting("test"),
      transforming("column", "change-data-type", ["test", "employee", "SALE_AMOUNT"], {
        "data-type": { type: "int8" },
      }),
    ],
    `test.employee: ${ALL}`,
  ],
  [
    "add before images",
    [
      selecting("%"),
      transforming("column", "add-before-image-columns", ["%", "employee"], {
        "before-image-def": { "column-prefix": "BI_", "column-suffix": "", "column-filter": "non-lob" },
      }),
    ],
    `test.employee: ${ALL} BI_empid BI_dept BI_empstartdate BI_Pre_1 BI_col1 BI_SALE_AMOUNT`,
  ],
  [
    "flag rows by what became of them",
    [
      selecting("test"),
      transforming("column", "add-column", ["%", "%"], {
        ...{ value: "Operation", expression: "operation_indicator('D', 'U', 'I')" },
        "data-type": { type: "string", length: 50 },
      }),
    ],
    `test.employee: ${ALL} Operation`,
  ],
  [
    "mask digits",
    [
      selecting("test"),
      transforming("column", "data-masking-digits-mask", ["test", "employee", "dept"], { value: "#" }),
    ],
    `test.employee: ${ALL}`,
  ],
  [
    "filter by several conditions",
    [
      selecting("test", "employee", {
        filters: [
          filtered(
            "empid",
            { "filter-operator": "ste", value: "10" },
            { "filter-operator": "between", "start-value": "50", "end-value": "75" },
            { "filter-operator": "gte", value: "100" },
          ),
        ],
      }),
    ],
    `test.employee: ${ALL} | [[{"column":0,"conditions":[{"operator":"lte","value":"10"},{"operator":"between","from":"50","to":"75"},{"operator":"gte","value":"100"}]}]]`,
  ],
  [
    "filter by negative conditions of two columns",
    [
      selecting("test", "employee", {
        filters: [
          filtered("empid", { "filter-operator": "noteq", value: "50" }),
          filtered("dept", { "filter-operator": "notnull" }),
        ],
      }),
    ],
    `test.employee: ${ALL} | [[{"column":0,"conditions":[{"operator":"noteq","value":"50"}]},{"column":1,"conditions":[{"operator":"notnull"}]}]]`,
  ],
  [
    "filter by a date",
    [
      selecting("test", "employee", {
        filters: [filtered("empstartdate", { "filter-operator": "gte", value: "2002-01-01" })],
      }),
    ],
    `test.employee: ${ALL} | [[{"column":2,"conditions":[{"operator":"gte","value":"2002-01-01"}]}]]`,
  ],
];

for (const [what, rules, expected] of examples) {
  test(`a document of the manual does what it says: ${what}`, () => {
    parseTableMappings(JSON.stringify({ rules }));
    const { plan, findings } = compile({ catalog: catalog({ tables: [employee] }), selections: rules });
    assert.deepEqual(findings, []);
    assert.deepEqual(plan.tables.map(made), [expected]);
  });
}

test("a document that the console has written, with names in upper case and columns that are included, is taken", () => {
  const unused = { value: null, "old-value": null };
  const rules = [
    { ...selecting("test"), filters: [], "parallel-load": null, isAutoSegmentationChecked: false },
    ...["empid", "dept"].flatMap((name, i) => [
      {
        ...transforming("column", "convert-uppercase", ["test", "employee", name], unused),
        "rule-id": `${10 + i}`,
      },
      {
        ...transforming("column", "include-column", ["test", "employee", name], unused),
        "rule-id": `${20 + i}`,
      },
    ]),
  ];
  parseTableMappings(JSON.stringify({ rules }));
  const { plan } = compile({ catalog: catalog({ tables: [employee] }), selections: rules });
  assert.deepEqual(plan.tables.map(made), ["test.employee: EMPID DEPT"]);
});
