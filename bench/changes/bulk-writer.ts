import type { PostgresServer } from "../../test/support/postgres-server.ts";
import { insertEvents } from "../data/workloads.ts";

export interface BulkPace {
  readonly rowsPerTransaction: number;
  readonly transactionsPerS: number;
  readonly seconds: number;
}

/**
 * One session that inserts rows at a steady pace: a transaction that takes longer is made up for by the next
 * ones. Resolves with how many transactions a second there were.
 */
export async function writeBulks(server: PostgresServer, database: string, pace: BulkPace): Promise<number> {
  const { rowsPerTransaction, transactionsPerS, seconds } = pace;
  const client = await server.connect(database);
  try {
    await client.query(
      `do $$ declare began timestamptz := clock_timestamp(); n bigint := 0; begin
         while clock_timestamp() < began + interval '${seconds} s' loop
           ${insertEvents(`n * ${rowsPerTransaction} + 1`, `(n + 1) * ${rowsPerTransaction}`)};
           commit;
           n := n + 1;
           perform pg_sleep(greatest(0, extract(epoch from began - clock_timestamp()) + n / ${transactionsPerS.toFixed(3)}));
         end loop;
         perform set_config('bench.pace', (n / extract(epoch from clock_timestamp() - began))::text, false); end $$`,
    );
    const { rows } = await client.query("select current_setting('bench.pace') as pace");
    return Number(rows[0].pace);
  } finally {
    await client.end();
  }
}
