import { ALL, FIRST, filtered, type ManualExample, selecting, transforming } from "./manual-rules.ts";
import { manualValues } from "./manual-values.ts";

/* Documents of the kinds that AWS's manual shows, section by section, and what they make of a table. */

export const manualExamples: readonly ManualExample[] = [
  {
    what: "rename a schema",
    rules: [selecting("test"), transforming("schema", "rename", ["test"], { value: "test1" })],
    made: `test1.employee: ${ALL}`,
    first: FIRST,
  },
  {
    what: "rename a table",
    rules: [selecting("test"), transforming("table", "rename", ["test", "employee"], { value: "staff" })],
    made: `test.staff: ${ALL}`,
    first: FIRST,
  },
  {
    what: "rename a column",
    rules: [
      selecting("test"),
      transforming("column", "rename", ["test", "employee", "dept"], { value: "d" }),
    ],
    made: "test.employee: empid d empstartdate Pre_1 col1 SALE_AMOUNT",
    first: FIRST,
  },
  {
    what: "add a column",
    rules: [
      selecting("test"),
      transforming("column", "add-column", ["test", "employee"], {
        value: "last_updated",
        "data-type": { type: "datetime", precision: 6 },
      }),
    ],
    made: `test.employee: ${ALL} last_updated`,
    first: `${FIRST},`,
  },
  {
    what: "remove columns",
    rules: [selecting("test"), transforming("column", "remove-column", ["test", "employee", "col%"])],
    made: "test.employee: empid dept empstartdate Pre_1 SALE_AMOUNT",
    first: "10,a1,2001-12-31,p,0.50",
  },
  {
    what: "convert all columns to upper case",
    rules: [selecting("test"), transforming("column", "convert-uppercase", ["%", "%", "%"])],
    made: "test.employee: EMPID DEPT EMPSTARTDATE PRE_1 COL1 SALE_AMOUNT",
    first: FIRST,
  },
  {
    what: "add a prefix to tables",
    rules: [selecting("test"), transforming("table", "add-prefix", ["test", "%"], { value: "DMS_" })],
    made: `test.DMS_employee: ${ALL}`,
    first: FIRST,
  },
  {
    what: "replace a prefix of columns",
    rules: [
      selecting("test"),
      transforming("column", "replace-prefix", ["%", "%", "%"], { value: "NewPre_", "old-value": "Pre_" }),
    ],
    made: "test.employee: empid dept empstartdate NewPre_1 col1 SALE_AMOUNT",
    first: FIRST,
  },
  {
    what: "define a primary key",
    rules: [
      selecting("test"),
      transforming("table", "define-primary-key", ["test", "employee"], {
        "primary-key-def": { name: "pk1", columns: ["empid", "dept"] },
      }),
    ],
    made: `test.employee: ${ALL}`,
    first: FIRST,
  },
  {
    what: "change a data type",
    rules: [
      selecting("test"),
      transforming("column", "change-data-type", ["test", "employee", "SALE_AMOUNT"], {
        "data-type": { type: "int8" },
      }),
    ],
    made: `test.employee: ${ALL}`,
    first: "10,a1,2001-12-31,p,c,1",
  },
  {
    what: "add before images",
    rules: [
      selecting("%"),
      transforming("column", "add-before-image-columns", ["%", "employee"], {
        "before-image-def": { "column-prefix": "BI_", "column-suffix": "", "column-filter": "non-lob" },
      }),
    ],
    made: `test.employee: ${ALL} BI_empid BI_dept BI_empstartdate BI_Pre_1 BI_col1 BI_SALE_AMOUNT`,
    first: `${FIRST},,,,,,`,
  },
  {
    what: "flag rows by what became of them",
    rules: [
      selecting("test"),
      transforming("column", "add-column", ["%", "%"], {
        ...{ value: "Operation", expression: "operation_indicator('D', 'U', 'I')" },
        "data-type": { type: "string", length: 50 },
      }),
    ],
    made: `test.employee: ${ALL} Operation`,
    first: `${FIRST},I`,
  },
  {
    what: "mask digits",
    rules: [
      selecting("test"),
      transforming("column", "data-masking-digits-mask", ["test", "employee", "dept"], { value: "#" }),
    ],
    made: `test.employee: ${ALL}`,
    first: "10,a#,2001-12-31,p,c,0.50",
  },
  {
    what: "filter by several conditions",
    rules: [
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
    made: `test.employee: ${ALL}`,
    first: FIRST,
    filtered: {
      by: '[[{"column":0,"conditions":[{"operator":"lte","value":"10"},{"operator":"between","from":"50","to":"75"},{"operator":"gte","value":"100"}]}]]',
      kept: [10, 50, 75, 100],
    },
  },
  {
    what: "filter by negative conditions of two columns",
    rules: [
      selecting("test", "employee", {
        filters: [
          filtered("empid", { "filter-operator": "noteq", value: "50" }),
          filtered("dept", { "filter-operator": "notnull" }),
        ],
      }),
    ],
    made: `test.employee: ${ALL}`,
    first: FIRST,
    filtered: {
      by: '[[{"column":0,"conditions":[{"operator":"noteq","value":"50"}]},{"column":1,"conditions":[{"operator":"notnull"}]}]]',
      kept: [10, 11, 75, 76, 100],
    },
  },
  {
    what: "filter by a date",
    rules: [
      selecting("test", "employee", {
        filters: [filtered("empstartdate", { "filter-operator": "gte", value: "2002-01-01" })],
      }),
    ],
    made: `test.employee: ${ALL}`,
    first: "11,b,2002-01-01,p,,1.25",
    filtered: {
      by: '[[{"column":2,"conditions":[{"operator":"gte","value":"2002-01-01"}]}]]',
      kept: [11, 75, 100],
    },
  },
  {
    what: "convert tables to lower case",
    rules: [selecting("test"), transforming("table", "convert-lowercase", ["%", "%"])],
    made: `test.employee: ${ALL}`,
    first: FIRST,
  },
  {
    what: "load one table before others, without its older rows, and leave tables out",
    rules: [
      selecting("test", "%", {
        "load-order": 2,
        filters: [
          filtered("empstartdate", {
            ...{ "filter-operator": "between", "start-value": "2001-01-01", "end-value": "2008-12-31" },
          }),
        ],
      }),
      { ...selecting("test", "DMS%", { "rule-action": "exclude" }), "rule-id": "2", "rule-name": "2" },
    ],
    made: `test.employee: ${ALL}`,
    first: FIRST,
    filtered: {
      by: '[[{"column":2,"conditions":[{"operator":"between","from":"2001-01-01","to":"2008-12-31"}]}]]',
      kept: [10, 11, 100],
    },
  },
  {
    what: "load a table in ranges",
    rules: [
      selecting("test"),
      {
        ...{ "rule-type": "table-settings", "rule-id": "2", "rule-name": "2" },
        "object-locator": { "schema-name": "test", "table-name": "employee" },
        "parallel-load": {
          ...{
            type: "ranges",
            columns: ["empid", "dept"],
            boundaries: [
              ["11", "b"],
              ["75", "d"],
            ],
          },
        },
      },
    ],
    made: `test.employee: ${ALL}`,
    first: FIRST,
  },
  ...manualValues,
];
