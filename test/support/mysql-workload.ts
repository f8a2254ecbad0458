import type mysql from "mysql2/promise";
import { type MysqlDemoSizes, mysqlFixedRows } from "./mysql-demo-data.ts";

export interface MysqlWorkloadOptions {
  readonly connect: () => Promise<mysql.Connection>;
  /** As createMysqlDemoData returned them. */
  readonly sizes: MysqlDemoSizes;
  readonly clients: number;
  /** Of all clients together. */
  readonly transactionsPerSecond: number;
}

/** An application that goes on inserting, updating and deleting in the demo's shop until it is stopped. */
export class MysqlWorkload implements AsyncDisposable {
  readonly #options: MysqlWorkloadOptions;
  readonly #connections: mysql.Connection[] = [];
  #stopped = false;
  #commits = 0;
  #lastCommitMs: number | undefined;
  #work: Promise<unknown> = Promise.resolve();

  private constructor(options: MysqlWorkloadOptions) {
    this.#options = options;
  }

  static async start(options: MysqlWorkloadOptions): Promise<MysqlWorkload> {
    const workload = new MysqlWorkload(options);
    for (let client = 0; client < options.clients; client++) {
      workload.#connections.push(await options.connect());
    }
    workload.#work = Promise.all(workload.#connections.map((connection) => workload.#run(connection)));
    workload.#work.catch(() => undefined);
    return workload;
  }

  /** Rejects when the application fails; else pending until it is stopped. */
  get ended(): Promise<unknown> {
    return this.#work;
  }

  /** Resolves when the last transaction has ended. */
  async stop(): Promise<{ readonly commits: number; readonly lastCommitMs: number | undefined }> {
    this.#stopped = true;
    await this.#work;
    return { commits: this.#commits, lastCommitMs: this.#lastCommitMs };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#work.catch(() => undefined);
    await Promise.allSettled(this.#connections.map((connection) => connection.end()));
  }

  async #run(connection: mysql.Connection): Promise<void> {
    const { clients, transactionsPerSecond, sizes } = this.#options;
    const everyMs = (1000 * clients) / transactionsPerSecond;
    const session = new Session(connection, sizes);
    for (let due = performance.now(); !this.#stopped; due += everyMs) {
      const wait = due - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      await this.#transact(connection, session);
    }
  }

  async #transact(connection: mysql.Connection, session: Session): Promise<void> {
    try {
      await connection.query("start transaction");
      const commits = await transactions[session.pick(transactions.length) - 1]!(session);
      await connection.query(commits ? "commit" : "rollback");
      if (!commits) return;
      this.#commits++;
      this.#lastCommitMs = Date.now();
    } catch (error) {
      // Refused because of another transaction: deadlock, lock wait, unique key, foreign key.
      if (![1213, 1205, 1062, 1451, 1452].includes((error as { errno?: number }).errno ?? 0)) throw error;
      await connection.query("rollback");
    }
  }
}

class Session {
  readonly sizes: MysqlDemoSizes;
  readonly #connection: mysql.Connection;

  constructor(connection: mysql.Connection, sizes: MysqlDemoSizes) {
    this.#connection = connection;
    this.sizes = sizes;
  }

  /** Runs a statement; resolves with the id that it has made. */
  async run(sql: string, values: readonly unknown[] = []): Promise<number> {
    const [result] = await this.#connection.query<mysql.ResultSetHeader>(sql, [...values]);
    return result.insertId;
  }

  /** A number from 1 to the limit. */
  pick(limit: number): number {
    return 1 + Math.floor(Math.random() * limit);
  }
}

const ODD = "'new\\ttab \\\\ \\n 漢字 🛒'";

/** Each is one transaction; false when it is to be rolled back. */
const transactions: readonly ((session: Session) => Promise<boolean>)[] = [
  async function placeOrder(session) {
    const order = await session.run(`insert into orders (customer_id, total, note) values (?, ?, ${ODD})`, [
      session.pick(session.sizes.customers),
      session.pick(9000) / 100,
    ]);
    for (let line = session.pick(4); line > 0; line--) {
      await session.run("insert into order_lines select ?, ?, id, 1 + ?, price from products where id = ?", [
        order,
        line,
        line,
        session.pick(session.sizes.products),
      ]);
    }
    await session.run("insert into events (kind, detail) values ('order', json_object('id', ?))", [order]);
    return true;
  },
  async function pay(session) {
    const order = session.pick(session.sizes.orders);
    await session.run("update orders set status = 'paid' where id = ?", [order]);
    await session.run(
      `insert into payments (order_id, method, amount, reference, paid_at)
       select id, 'card', total, unhex('00ff5c0a'), now() from orders where id = ?`,
      [order],
    );
    return true;
  },
  async function changePrice(session) {
    const values = [session.pick(99_000) / 100, session.pick(session.sizes.products)];
    await session.run(
      "update products set price = ?, updated_at = now(3), is_sold = not is_sold, weight = weight / 3 where id = ?",
      values,
    );
    return true;
  },
  async function editCustomer(session) {
    const id = session.pick(session.sizes.customers);
    await session.run(
      "update customers set balance = balance + 1.5, flags = 'news,vip', tier = 'it''s platinum', email = concat('user', id, '.', ?, '@example.org') where id = ?",
      [session.pick(1000), id],
    );
    return true;
  },
  async function review(session) {
    const key = [session.pick(session.sizes.products), session.pick(session.sizes.customers)];
    await session.run("delete from reviews where product_id = ? and rating = ?", [key[0], session.pick(5)]);
    await session.run(
      `insert into reviews values (?, ?, 3, ${ODD}, current_date) on duplicate key update rating = 4, body = null`,
      key,
    );
    return true;
  },
  async function cancelOrder(session) {
    const order = session.pick(session.sizes.orders);
    await session.run("delete from payments where order_id = ?", [order]);
    await session.run("delete from order_lines where order_id = ?", [order]);
    await session.run("delete from orders where id = ?", [order]);
    return true;
  },
  async function changeKey(session) {
    const order = session.pick(session.sizes.orders);
    await session.run("update order_lines set line_no = line_no + 100 where order_id = ? and line_no < 100", [
      order,
    ]);
    return true;
  },
  async function swapKeys(session) {
    const card = session.pick(mysqlFixedRows.giftCards - 1) * 2 ** 40;
    const move = "update `Gift Cards` set `Card-No` = ? where `Card-No` = ?";
    await session.run(move, [-card, card]);
    await session.run(move, [card, card + 2 ** 40]);
    await session.run(move, [card + 2 ** 40, -card]);
    return true;
  },
  async function rollPartBack(session) {
    await session.run("insert into events (kind) values ('kept before')");
    await session.run("savepoint here");
    await session.run("insert into events (kind) values ('rolled back')");
    await session.run("rollback to savepoint here");
    await session.run("insert into events (kind, bits) values ('kept after', b'111111111111')");
    return true;
  },
  async function rollBack(session) {
    await session.run("update orders set total = total + 1 where id = ?", [
      session.pick(session.sizes.orders),
    ]);
    return false;
  },
];
