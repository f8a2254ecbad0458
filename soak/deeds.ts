import type pg from "pg";

/** Something large or rare that the application does. `round` counts from 1. Not inside a transaction. */
export interface Deed {
  readonly name: string;
  readonly run: (client: pg.Client, round: number) => Promise<void>;
}

/** Begins the name of every prepared transaction, so that those a crash has left are found. */
export const PREPARED_PREFIX = "soak_";

const BULK_ROWS = 20_000;

export const deeds: readonly Deed[] = [
  {
    name: "a large transaction, part of it rolled back",
    async run(client, round) {
      await client.query("begin");
      await client.query(
        `insert into soak.bulk (round, filler) select $1::int, repeat(md5(i::text), 15) from generate_series(1, $2::int) i`,
        [round, BULK_ROWS],
      );
      await client.query("savepoint half");
      await client.query("update soak.bulk set filler = 'rolled back' where round = $1", [round]);
      await client.query("rollback to savepoint half");
      await client.query("update soak.bulk set filler = filler || id where round = $1 and id % 2 = 0", [
        round,
      ]);
      await client.query("delete from soak.bulk where round < $1 - 1", [round]);
      await client.query("commit");
    },
  },
  {
    name: "TRUNCATE",
    async run(client) {
      await client.query("truncate soak.emptied, soak.emptied_part restart identity");
    },
  },
  {
    name: "a prepared transaction that is committed",
    run: (client, round) => prepare(client, { round, end: "commit" }),
  },
  {
    name: "ADD COLUMN",
    async run(client, round) {
      await client.query(`alter table soak.grown add column c${round} int default ${round}`);
      await client.query(`update soak.grown set c${round} = id where id % 50 = ${round % 50}`);
    },
  },
  {
    name: "CREATE TABLE",
    async run(client, round) {
      await client.query(
        `create table soak.made_${round} (id serial primary key, v text, other int references soak.grown)`,
      );
      await client.query(`insert into soak.made_${round} (v) select 'v' || i from generate_series(1, 500) i`);
      await client.query(`update soak.made_${round} set v = 'w' where id % 3 = 0`);
    },
  },
  {
    name: "many sub-transactions, of which some fail",
    async run(client) {
      await client.query(`do $$ begin
        for i in 1 .. 300 loop
          begin
            insert into soak.promised (v) values ('sub ' || i);
            if i % 3 = 0 then raise exception 'not this one'; end if;
          exception when raise_exception then null;
          end;
        end loop;
      end $$`);
    },
  },
  {
    name: "a prepared transaction that is rolled back",
    run: (client, round) => prepare(client, { round, end: "rollback" }),
  },
  {
    name: "changes to the tables that were made",
    async run(client, round) {
      for (let made = Math.max(1, round - 3); made <= round; made++) {
        const found = await client.query("select to_regclass($1) as there", [`soak.made_${made}`]);
        if (found.rows[0]?.there === null) continue;
        await client.query(`insert into soak.made_${made} (v) select 'later' from generate_series(1, 20)`);
        await client.query(`delete from soak.made_${made} where id % 11 = ${round % 11}`);
      }
    },
  },
  {
    name: "VACUUM FULL",
    async run(client) {
      await client.query("vacuum full soak.keyless");
    },
  },
];

async function prepare(
  client: pg.Client,
  { round, end }: { readonly round: number; readonly end: "commit" | "rollback" },
): Promise<void> {
  const name = `${PREPARED_PREFIX}${end}_${round}`;
  await client.query("begin");
  await client.query("insert into soak.promised (v) select 'prepared' from generate_series(1, 50)");
  await client.query("update soak.promised set v = v || '+' where id % 97 = $1", [round % 97]);
  await client.query(`prepare transaction '${name}'`);
  await client.query(`${end} prepared '${name}'`);
}

/** Ends what a crash has left between the two steps of a prepared transaction. */
export async function endPrepared(client: pg.Client): Promise<void> {
  const { rows } = await client.query("select gid from pg_prepared_xacts where starts_with(gid, $1)", [
    PREPARED_PREFIX,
  ]);
  for (const { gid } of rows) await client.query(`rollback prepared '${gid}'`);
}
