import type pg from "pg";
import type { DemoSizes } from "./demo-data.ts";
import { fixedRows } from "./demo-data.ts";

/** What one transaction did, counted from the server's answers. */
export interface RowCounts {
  inserts: number;
  updates: number;
  deletes: number;
}

/** One connection of the application, inside a transaction. */
export class Session {
  readonly client: pg.Client;
  readonly sizes: DemoSizes;
  counts: RowCounts = { inserts: 0, updates: 0, deletes: 0 };
  /** Products that this session made and nothing refers to. */
  readonly ownProducts: string[] = [];

  constructor(client: pg.Client, sizes: DemoSizes) {
    this.client = client;
    this.sizes = sizes;
  }

  /** Runs a statement and counts the rows it changed. */
  async run(sql: string, values: readonly unknown[] = []): Promise<Record<string, unknown>[]> {
    const result = await this.client.query(sql, [...values]);
    const rows = result.rowCount ?? 0;
    if (result.command === "INSERT") this.counts.inserts += rows;
    else if (result.command === "UPDATE") this.counts.updates += rows;
    else if (result.command === "DELETE") this.counts.deletes += rows;
    return result.rows;
  }

  pick(limit: number): number {
    return 1 + Math.floor(Math.random() * limit);
  }

  order(): number {
    return this.pick(this.sizes.orders);
  }

  product(): number {
    return this.pick(this.sizes.products);
  }
}

export interface TransactionKind {
  readonly name: string;
  /** How often, compared with the others. */
  readonly weight: number;
  /** Ends by itself when true: the work has to be rolled back. */
  readonly rollsBack?: boolean;
  readonly run: (session: Session) => Promise<void>;
}

const PRODUCT_ID = "md5('product ' || $1::text)::uuid";
const ODD = "E'new\\ttab \\\\ \\n 漢字 🛒'";

/** What the application does. Every statement of a kind belongs to one transaction. */
export const transactionKinds: readonly TransactionKind[] = [
  {
    name: "place an order: four tables at once",
    weight: 30,
    async run(session) {
      const [order] = await session.run(
        `insert into shop.orders (customer_id, total, note) values ($1, $2, ${ODD}) returning id`,
        [session.pick(session.sizes.customers), session.pick(9000) / 100],
      );
      const lines = session.pick(4);
      for (let line = 1; line <= lines; line++) {
        await session.run(
          `insert into shop.order_lines (order_id, line_no, product_id, quantity, unit_price)
           select $2, $3::smallint, id, 1 + $3::smallint, price from shop.products where id = ${PRODUCT_ID}`,
          [session.product(), order?.["id"], line],
        );
      }
      await session.run(
        `insert into audit.events (kind, detail, client) values ('order', jsonb_build_object('id', $1::bigint), '::1')`,
        [order?.["id"]],
      );
    },
  },
  {
    name: "pay an order",
    weight: 15,
    async run(session) {
      const order = session.order();
      await session.run("update shop.orders set status = 'paid', delivery = '2 days' where id = $1", [order]);
      await session.run(
        `insert into shop.payments (order_id, method, amount, reference, paid_at)
         select id, 'card', total, decode('00ff5c0a', 'hex'), now() from shop.orders where id = $1`,
        [order],
      );
    },
  },
  {
    name: "change a price; a long description stays untouched",
    weight: 15,
    async run(session) {
      await session.run(
        `update shop.products set price = $2, updated_at = localtimestamp(3),
           attributes = attributes || jsonb_build_object('seen', $2::numeric) where id = ${PRODUCT_ID}`,
        [session.product(), session.pick(99_000) / 100],
      );
    },
  },
  {
    name: "edit a customer; a long biography stays untouched",
    weight: 12,
    async run(session) {
      await session.run(
        `update shop.customers set preferences = preferences || '{"news": false}', balance = coalesce(balance, 0) + 1,
           tags = array_append(tags, 'w'), email = 'user' || id || '.' || $2::int || '@example.org' where id = $1`,
        [session.pick(session.sizes.customers), session.pick(1000)],
      );
    },
  },
  {
    name: "write, correct or withdraw a review",
    weight: 8,
    async run(session) {
      const key = [session.product(), session.pick(session.sizes.customers)];
      const gone = await session.run(
        `delete from shop.reviews where product_id = ${PRODUCT_ID} and rating = $2 returning product_id`,
        [key[0], session.pick(5)],
      );
      if (gone.length > 0) return;
      await session.run(
        `insert into shop.reviews select ${PRODUCT_ID}, $2, 3, ${ODD}, current_date
         on conflict (product_id, customer_id) do update set rating = 4, body = null`,
        key,
      );
    },
  },
  {
    name: "cancel an order: deletes in three tables",
    weight: 6,
    async run(session) {
      const order = session.order();
      await session.run("delete from shop.payments where order_id = $1", [order]);
      await session.run("delete from shop.returns where order_id = $1", [order]);
      await session.run("delete from shop.order_lines where order_id = $1", [order]);
      await session.run("delete from shop.orders where id = $1", [order]);
    },
  },
  {
    name: "change a composite key",
    weight: 5,
    async run(session) {
      await session.run(
        `update shop.order_lines set line_no = (select max(line_no) + 1 from shop.order_lines where order_id = $1)
         where order_id = $1 and line_no = (select min(line_no) from shop.order_lines where order_id = $1)`,
        [session.order()],
      );
    },
  },
  {
    name: "make a product with a long text, change its key, delete it",
    weight: 5,
    run: ownProduct,
  },
  {
    name: "swap two unique keys by way of a third",
    weight: 3,
    async run(session) {
      const card = BigInt(session.pick(fixedRows.giftCards - 1)) << 40n;
      const numbers = [
        card + BigInt(session.sizes.products),
        card + (1n << 40n) + BigInt(session.sizes.products),
      ];
      const swap = `update shop."Gift Cards" set "Card-No" = $2 where "Card-No" = $1`;
      await session.run(swap, [numbers[0], -1n - card]);
      await session.run(swap, [numbers[1], numbers[0]]);
      await session.run(swap, [-1n - card, numbers[1]]);
    },
  },
  {
    name: "many rows by one statement",
    weight: 1,
    async run(session) {
      await session.run(
        "update shop.inventory set quantity = quantity + 1, counted_at = now() where product_id in (select id from shop.products order by id offset $1 limit 50)",
        [session.pick(Math.max(1, session.sizes.products - 50)) - 1],
      );
    },
  },
  {
    name: "roll a part back to a savepoint",
    weight: 4,
    async run(session) {
      await session.run("insert into audit.events (kind) values ('kept before')");
      await session.client.query("savepoint here");
      const before = { ...session.counts };
      await session.run("insert into audit.events (kind) values ('rolled back')");
      await session.run("update shop.orders set note = 'rolled back' where id = $1", [session.order()]);
      await session.client.query("rollback to savepoint here");
      session.counts = before;
      await session.run(
        "insert into shop.returns (order_id, reason) select min(id), E'\\\\N' from shop.orders",
      );
      await session.client.query("release savepoint here");
    },
  },
  {
    name: "roll everything back",
    weight: 2,
    rollsBack: true,
    async run(session) {
      await session.run("update shop.orders set total = total + 1 where id = $1", [session.order()]);
      await session.run("insert into audit.events (kind) values ('never committed')");
    },
  },
];

async function ownProduct(session: Session): Promise<void> {
  const choice = session.ownProducts.length < 5 ? 0 : session.pick(3);
  if (choice === 0) {
    const [made] = await session.run(
      `insert into shop.products (id, sku, category_id, name, description, price, attributes, picture)
       select md5(random()::text)::uuid, 'W' || substr(md5(random()::text), 1, 15), 1, ${ODD},
         (select string_agg(md5(k::text || random()), ' ') from generate_series(1, 120) k), 1.5, '[]', '\\x00ff'
       returning id`,
    );
    session.ownProducts.push(String(made?.["id"]));
    return;
  }
  const id = session.ownProducts.shift();
  if (choice === 1) {
    await session.run("delete from shop.products where id = $1", [id]);
    return;
  }
  const [moved] = await session.run(
    "update shop.products set id = md5(random()::text)::uuid, weight = 'NaN' where id = $1 returning id",
    [id],
  );
  session.ownProducts.push(String(moved?.["id"]));
}
