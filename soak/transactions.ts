import {
  type Session,
  type TransactionKind,
  transactionKinds,
} from "../test/support/workload-transactions.ts";
import { ruledTransaction } from "./ruled.ts";

/** What the application does all the time: the demo shop's transactions, and others in schema soak. */
export const soakTransactions: readonly TransactionKind[] = [
  ...transactionKinds,
  ruledTransaction,
  {
    name: "a table without a key: equal rows come, change and go",
    weight: 8,
    async run(session) {
      const a = session.pick(100);
      await session.run(
        "insert into soak.keyless select $1::int, 'row ' || $1::int % 10, i % 3 from generate_series(1, 3) i",
        [a],
      );
      const some =
        "ctid = any (array(select ctid from soak.keyless where a = $1 limit $2 for update skip locked))";
      await session.run(`update soak.keyless set b = b || '+', c = c + 0.50 where ${some}`, [a, 2]);
      await session.run(`delete from soak.keyless where ${some}`, [session.pick(100), 3]);
    },
  },
  {
    name: "documents: long texts stay, come, change, and keys move",
    weight: 8,
    run: documents,
  },
  {
    name: "a table found by another index",
    weight: 5,
    async run(session) {
      const name = `name ${session.pick(500)}`;
      await session.run("update soak.named set v = v + 1 where name = $1", [name]);
      await session.run("update soak.named set name = name || '.' where name = $1 and v % 7 = 0", [name]);
      await session.run("insert into soak.named values ($1, $2, 0) on conflict (name) do nothing", [
        session.pick(500),
        name,
      ]);
    },
  },
  {
    name: "tables that are emptied and tables that grow",
    weight: 6,
    async run(session) {
      const [made] = await session.run("insert into soak.emptied (v) values ('v') returning id");
      await session.run("insert into soak.emptied_part (emptied_id) values ($1)", [made?.["id"]]);
      await session.run("update soak.grown set v = 'w' || id where id = $1", [session.pick(1000)]);
      await session.run("insert into soak.grown (v) values ('late')");
      await session.run("select nextval('soak.numbers')");
    },
  },
];

async function documents(session: Session): Promise<void> {
  const id = session.pick(500);
  switch (session.pick(4)) {
    case 1:
      await session.run("update soak.documents set body = reverse(body), n = n + 1 where id = $1", [id]);
      break;
    case 2:
      await session.run("update soak.documents set id = nextval('soak.documents_id_seq') where id = $1", [
        id,
      ]);
      break;
    case 3:
      await session.run("delete from soak.documents where id = $1", [id]);
      await session.run(
        `insert into soak.documents (id, title, body)
         select $1::bigint, 'again', string_agg(md5(random()::text), '') from generate_series(1, 150)
         on conflict do nothing`,
        [id],
      );
      break;
    default:
      await session.run("update soak.documents set n = n + 1 where id between $1 and $1 + 5", [id]);
  }
}
