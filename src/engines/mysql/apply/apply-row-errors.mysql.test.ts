import { toBothFlavours } from "../../../../test/support/replication-across.ts";
import { rowErrorCases } from "../../../../test/support/row-error-cases.ts";

toBothFlavours("errors of single rows", (start) => {
  rowErrorCases({
    start,
    folding: { make: "", type: "varchar(20) character set utf8mb4 collate utf8mb4_general_ci" },
    async exceptions(flow) {
      // A table without a key: in the order in which they were written.
      const rows = await flow.queryTarget(
        `select STATEMENT as s, ERROR as e from awsdms_control.awsdms_apply_exceptions where TASK_NAME = '${flow.from}'`,
      );
      return rows.map(({ s, e }) => [String(s), String(e)]);
    },
  });
});
