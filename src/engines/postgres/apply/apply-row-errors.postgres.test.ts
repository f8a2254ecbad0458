import { betweenVersions, OLDEST_AND_NEWEST } from "../../../../test/support/replication-suites.ts";
import { rowErrorCases } from "../../../../test/support/row-error-cases.ts";

betweenVersions("errors of single rows", OLDEST_AND_NEWEST, (start) => {
  rowErrorCases({
    start: (schema, targetSchema) => start(schema, { targetSchema }),
    folding: {
      make: "create collation folding (provider = icu, locale = 'und-u-ks-level2', deterministic = false);",
      type: "varchar(20) collate folding",
    },
    async exceptions(flow) {
      // In the order in which they were written.
      const rows = await flow.queryTarget(
        `select "STATEMENT" as s, "ERROR" as e from awsdms_apply_exceptions order by ctid`,
      );
      return rows.map(({ s, e }) => [String(s), String(e)]);
    },
  });
});
