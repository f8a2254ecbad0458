import type { PostgresServer } from "../../test/support/postgres-server.ts";

/**
 * Measures lag from outside, the same way for everybody: a session of the source writes a row with its
 * clock fifty times a second, and a session of the target looks every millisecond which rows are
 * visible. Both servers run on one machine and read one clock. No trigger: one would fire when a row is
 * written, which is before it is committed.
 */

export const heartbeatTable = "create table heartbeat (id bigint primary key, sent timestamp with time zone)";

/** Greater than any other id. */
const LAST = 1_000_000_000;

export interface Beat {
  readonly id: number;
  readonly atMs: number;
}

/** A row of the source, to see when replication runs. */
export async function beatOnce(source: PostgresServer, database: string, id: number): Promise<void> {
  await source.query(`insert into heartbeat values (${id}, clock_timestamp())`, database);
}

/** What tells the watcher that no other row follows. */
export async function lastBeat(source: PostgresServer, database: string): Promise<void> {
  await beatOnce(source, database, LAST);
}

/** Writes rows for some seconds; resolves with when each was sent. */
export async function sendBeats(
  source: PostgresServer,
  database: string,
  seconds: number,
): Promise<readonly Beat[]> {
  await source.query(
    `do $$ declare ends timestamptz := clock_timestamp() + interval '${seconds} s'; n bigint := 0; begin
       while clock_timestamp() < ends loop
         n := n + 1;
         insert into heartbeat values (n, clock_timestamp());
         commit;
         perform pg_sleep(0.02);
       end loop; end $$`,
    database,
  );
  const rows = await source.query(
    `select id, extract(epoch from sent)::text as at from heartbeat where id between 1 and ${LAST - 1} order by id`,
    database,
  );
  return rows.map(({ id, at }) => ({ id: Number(id), atMs: Number(at) * 1000 }));
}

/** Looks until the last row is there; resolves with the newest row seen each time it was another one. */
export async function watchBeats(
  target: PostgresServer,
  database: string,
  limitSeconds: number,
): Promise<readonly Beat[]> {
  const client = await target.connect(database);
  try {
    // Each look is a transaction of its own: a snapshot that is held keeps others from removing old rows.
    await client.query(
      `do $$ declare ends timestamptz := clock_timestamp() + interval '${limitSeconds} s';
         newest bigint; last bigint := 0; seen text := ''; begin
         loop
           select id into newest from heartbeat order by id desc limit 1;
           if newest > last then
             seen := seen || newest || ' ' || extract(epoch from clock_timestamp())::text || E'\\n';
             last := newest;
           end if;
           commit;
           exit when last = ${LAST} or clock_timestamp() > ends;
           perform pg_sleep(0.001);
         end loop;
         perform set_config('bench.seen', seen, false); end $$`,
    );
    const { rows } = await client.query("select current_setting('bench.seen') as seen");
    return parseBeats(rows[0].seen as string);
  } finally {
    await client.end();
  }
}

export function parseBeats(text: string): readonly Beat[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [id, at] = line.split(" ");
      return { id: Number(id), atMs: Number(at) * 1000 };
    });
}

/** How long each row that was sent took to be seen: with it, or with a later one. In milliseconds. */
export function lagsOf(sent: readonly Beat[], seen: readonly Beat[]): readonly number[] {
  let at = 0;
  return sent.map(({ id, atMs }) => {
    while (at < seen.length && seen[at]!.id < id) at++;
    if (at === seen.length) throw new Error("A heartbeat never reached the target.");
    return seen[at]!.atMs - atMs;
  });
}
