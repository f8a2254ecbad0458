import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { becomesTrue } from "../../../../test/support/eventually.ts";
import { type PostgresServer, startPostgres } from "../../../../test/support/postgres-server.ts";
import { never, Replication } from "../../../../test/support/replication.ts";

/** Waits for a condition on the source. */
function until(r: Replication, condition: string): Promise<void> {
  return becomesTrue(r.options.source, r.from, condition);
}

const schema = `create table account (id int primary key, balance bigint not null, note text);
  insert into account select i, 0, null from generate_series(1, 2000) i;
  create table entry (n int, filler text); alter table entry replica identity full`;

const slotOf = (r: Replication): string => `slot_name = 'tideway_${r.taskId}'`;

/** Leaves a backlog of `transactions` behind a closed stream, of more bytes than a live stream is taken for. */
async function leaveBacklog(r: Replication, transactions: number): Promise<void> {
  await r.caughtUp();
  await r.close();
  await r.query(`do $$ begin for i in 1..${transactions} loop
    insert into entry values (i, repeat('x', 900));
    update account set balance = balance + i, note = 'n' || i where id in (1 + i % 2000, 1 + i % 3);
    delete from account where id = 1 + i % 2000 and i % 5 = 0;
    insert into account select 1 + i % 2000, i, 'again' where i % 5 = 0;
    commit; end loop; end $$`);
  await until(r, `(select not active from pg_replication_slots where ${slotOf(r)})`);
}

for (const version of [12, 18]) {
  describe(`a backlog in PostgreSQL ${version}`, () => {
    let server: PostgresServer;
    before(async () => {
      server = await startPostgres({ version });
    });
    after(async () => {
      await server[Symbol.asyncDispose]();
    });

    test("is read from a copy of the slot while the application writes, then the stream goes live", async () => {
      await using r = await Replication.start({ source: server, target: server, schema });
      await leaveBacklog(r, 6_000);
      await r.open();
      const copies = `select count(*)::int as n from pg_replication_slots
        where temporary and slot_name like 'tideway\\_${r.taskId}\\_%'`;
      assert.equal((await r.query(copies))[0].n, 1, "the copy is there");
      for (let i = 0; i < 300; i++)
        await r.query(`update account set balance = balance + 1 where id = ${1 + i}`);
      await r.caughtUp();
      await r.assertEqual();
      await until(r, `(select active from pg_replication_slots where ${slotOf(r)})`);
      await until(r, `(select n = 0 from (${copies}) as copies)`);
      await r.query("insert into entry values (-1, 'live')");
      await r.caughtUp();
      await r.assertEqual();
    });

    test("is never confirmed beyond what the target's journal holds", async () => {
      await using r = await Replication.start({ source: server, target: server, schema });
      await leaveBacklog(r, 5_000);
      await r.open();
      for (let at = 0; at < 20; at++) {
        const [{ lsn }] = await r.query(
          `select confirmed_flush_lsn as lsn from pg_replication_slots where ${slotOf(r)}`,
        );
        const [{ held }] = await r.queryTarget(
          `select split_part("CHECKPOINT", '#', 3)::pg_lsn >= '${lsn}'::pg_lsn as held from awsdms_txn_state`,
        );
        assert.equal(held, true);
      }
      await r.caughtUp();
      await r.assertEqual();
    });

    test("with a transaction larger than the server decodes in memory arrives whole, and once", async () => {
      await using r = await Replication.start({ source: server, target: server, schema });
      await r.caughtUp();
      await r.close();
      await until(r, `(select not active from pg_replication_slots where ${slotOf(r)})`);
      await r.query(`begin; insert into entry select i, repeat('y', 200) from generate_series(1, 200000) i;
        update account set balance = id; delete from account where id % 7 = 0; commit`);
      const { transactions } = r;
      await r.open();
      await r.caughtUp();
      assert.equal(r.transactions - transactions, 1);
      await r.assertEqual();
    });

    test("moves its slot on to where the target stands when it is closed", async () => {
      await using r = await Replication.start({ source: server, target: server, schema });
      await leaveBacklog(r, 5_000);
      await r.open();
      await r.caughtUp();
      await r.close();
      const applied = (await r.journal.appliedPosition(never))!;
      const [slot] = await r.query(
        `select confirmed_flush_lsn >= '${applied.text}' as moved from pg_replication_slots where ${slotOf(r)}`,
      );
      assert.equal(slot.moved, true);
    });

    test("that is left half-way goes on where the target stands", async () => {
      await using r = await Replication.start({ source: server, target: server, schema });
      await leaveBacklog(r, 6_000);
      for (let round = 0; round < 3; round++) {
        const { commits } = r;
        await r.open();
        await r.committed(commits + 1);
        await r.close();
        await until(r, "not exists (select from pg_replication_slots where temporary or active)");
      }
      await r.open();
      await r.caughtUp();
      await r.assertEqual();
    });
  });
}

test("without a free slot for the copy the backlog comes as a stream", async () => {
  await using server = await startPostgres({ settings: { max_replication_slots: 1 } });
  await using r = await Replication.start({ source: server, target: server, schema });
  await leaveBacklog(r, 5_000);
  await r.open();
  await until(r, `(select active from pg_replication_slots where ${slotOf(r)})`);
  await r.caughtUp();
  await r.assertEqual();
});
