import type pg from "pg";
import { failpoint } from "../../../base/failpoint.ts";
import type { JournalRequest } from "../../../core/journal.ts";
import type { TablePlan } from "../../../core/plan.ts";
import { tableKey } from "../../../core/schema.ts";
import { identifier, qualified } from "../../shared/identifier.ts";
import { forgetTableSql } from "../apply/journal-sql.ts";
import { findReferrers, findTables } from "../catalog/target-table.ts";
import { inTurn } from "../connection/in-turn.ts";

/**
 * Drops tables as the source did, with the foreign keys that other tables have to them: there, these could not stay
 * either. In one transaction with the journal, which forgets the tables. Throws what the server refuses.
 */
export async function dropTables(
  client: pg.Client,
  plans: readonly TablePlan[],
  journal: JournalRequest,
): Promise<readonly undefined[]> {
  await inTurn(client, async () => {
    const ids = plans.map(({ target }) => target.id);
    const found = await findTables(client, ids);
    for (const table of found.values()) {
      for (const { constraint, ...referrer } of await findReferrers(client, table)) {
        await client.query(`alter table ${qualified(referrer)} drop constraint ${identifier(constraint)}`);
      }
    }
    const present = ids.filter((id) => found.has(tableKey(id)));
    if (present.length > 0) await client.query(`drop table ${present.map(qualified).join(", ")}`);
    for (const { source } of plans) await client.query(forgetTableSql(journal, source.id).join("; "));
  });
  failpoint("apply.tables-dropped");
  return plans.map(() => undefined);
}
