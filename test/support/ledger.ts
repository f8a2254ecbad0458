import type { ChangeFlow } from "./change-flow.ts";

/** Tables of a ledger: `log`, to which rows are added, has no key. The second is in words of MySQL too. */
export const ledgerTables = {
  source: `create table log (writer int, n int, filler text); alter table log replica identity full;
    create table account (id int primary key, balance bigint not null)`,
  target:
    "create table log (writer int, n int, filler text); create table account (id int primary key, balance bigint not null)",
} as const;

/** How much is written must not depend on how fast a machine is: what the tests do meanwhile takes as long. */
const PAUSE_S = 0.005;

/** Two writers of transactions, now and then a large one, from start() until stop(). */
export class Ledger {
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
