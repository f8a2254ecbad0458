import { after, before, describe } from "node:test";
import { type PostgresServer, startPostgres } from "./postgres-server.ts";
import { Replication, type ReplicationOptions } from "./replication.ts";

/** Starts a stream and an applier between new databases of the suite's servers. */
export type Start = (schema: string, more?: Partial<ReplicationOptions>) => Promise<Replication>;

/** From the oldest and from the newest version to the same. */
export const OLDEST_AND_NEWEST = [
  [12, 12],
  [18, 18],
] as const;

/** Defines the same tests for each pair of versions; the servers run as long as the suite does. */
export function betweenVersions(
  what: string,
  pairs: readonly (readonly [source: number, target: number])[],
  tests: (start: Start) => void,
): void {
  for (const [from, to] of pairs) {
    describe(`${what} from PostgreSQL ${from} to ${to}`, () => {
      let source: PostgresServer;
      let target: PostgresServer;
      before(async () => {
        source = await startPostgres({ version: from });
        target = to === from ? source : await startPostgres({ version: to });
      });
      after(async () => {
        await Promise.all([...new Set([source, target])].map((server) => server?.[Symbol.asyncDispose]()));
      });
      tests((schema, more = {}) => Replication.start({ source, target, schema, ...more }));
    });
  }
}
