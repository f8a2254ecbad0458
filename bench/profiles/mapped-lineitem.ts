import { lineitem } from "../data/tables.ts";
import { type LoadContender, tidewayWhole } from "./load-contenders.ts";

const locator = { "schema-name": "bench", "table-name": lineitem.name };

const rule = (id: number, column: string | undefined, action: string, more: object): object => ({
  ...{ "rule-type": "transformation", "rule-id": `${id}`, "rule-name": `${id}`, "rule-target": "column" },
  "object-locator": column === undefined ? locator : { ...locator, "column-name": column },
  ...{ "rule-action": action, ...more },
});

/** Table mappings that rename a column, mask another and make one of two others. */
const mappings = JSON.stringify({
  rules: [
    {
      ...{ "rule-type": "selection", "rule-id": "1", "rule-name": "1", "rule-action": "include" },
      "object-locator": locator,
    },
    rule(2, "l_shipmode", "rename", { value: "l_mode" }),
    rule(3, "l_comment", "data-masking-digits-mask", { value: "#" }),
    rule(4, undefined, "add-column", {
      value: "l_partsupp",
      expression: "$l_partkey || '/' || $l_suppkey",
      "data-type": { type: "string", length: 40 },
    }),
  ],
});

export const mappedLineitem: LoadContender = {
  ...tidewayWhole,
  script: `${tidewayWhole.script} --mappings - <<< "$MAPPINGS"`,
  variables: { MAPPINGS: mappings },
  checks: {
    source: `select l_orderkey, l_linenumber, l_extendedprice, l_shipdate, l_shipmode,
      regexp_replace(l_comment, '[0-9]', '#', 'g'), l_partkey || '/' || l_suppkey from bench.lineitem`,
    target: `select l_orderkey, l_linenumber, l_extendedprice, l_shipdate, l_mode, l_comment, l_partsupp
      from bench.lineitem`,
  },
};
