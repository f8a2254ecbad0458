import type { ChangeFlow } from "./change-flow.ts";

/** Tables of a ledger: `log`, to which rows are added, has no key. The second is in words of MySQL too. */
export const ledgerTables = {
  source: `create table log (writer int, n int, filler text); alter table log replica identity full;
    create table account (id int primary key, balance bigint not null)`,
  target:
    "create table log (writer int, n int, filler text); create table account (id int primary key, balance bigint not null)",
} as const;

/** A flow that can be opened again from what its target's journal says. */
interface Reopened extends ChangeFlow {
  open(): Promise<void>;
  assertEqual(): Promise<void>;
}

/**
 * Opens stream and applier again and again while a ledger is written, each time after some commits more and after
 * `fault`; at the end all that was written has been applied once.
 */
export async function applyThrough(
  flow: Reopened,
  rounds: number,
  fault: (round: number) => Promise<void>,
): Promise<void> {
  const ledger = await Ledger.start(flow);
  for (let round = 0; round < rounds; round++) {
    await flow.committed(flow.commits + 1 + round * 3);
    await fault(round);
    await flow.close();
    await flow.open();
  }
  await ledger.stop();
  await flow.caughtUp();
  await flow.assertEqual();
}

/** How much is written must not depend on how fast a machine is: what the tests do meanwhile takes as long. */
const PAUSE_S = 0.005;

/** Two writers of transactions, now and then a large one, from start() until stop(). */
class Ledger {
  readonly #writers: Promise<void>[];
  #writing = true;

  private constructor(flow: ChangeFlow) {
    this.#writers = [1, 2].map((writer) => this.#write(flow, writer));
  }

  static async start(flow: ChangeFlow): Promise<Ledger> {
    await flow.write("insert into account select i, 0 from generate_series(1, 50) i");
    return new Ledger(flow);
  }

  async stop(): Promise<void> {
    this.#writing = false;
    await Promise.all(this.#writers);
  }

  async #write(flow: ChangeFlow, writer: number): Promise<void> {
    const client = await flow.server.connect(flow.from);
    for (let n = 0; this.#writing; n++) {
      await client.query(`begin; insert into log values (${writer}, ${n}, repeat('f', ${(n * 37) % 3000}));
        update account set balance = balance + ${n} where id = ${1 + ((n * 7 + writer) % 50)};
        ${n % 200 === 0 ? `insert into log select ${writer}, -g, 'bulk' from generate_series(1, 3000) g;` : ""} commit;
        select pg_sleep(${PAUSE_S})`);
    }
    await client.end();
  }
}
