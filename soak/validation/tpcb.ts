import { setTimeout } from "node:timers/promises";
import mysql from "mysql2/promise";
import type { EndpointConfig } from "../../src/core/engine.ts";
import type { TestSchema } from "../../test/contract/database-kind.ts";
import { runPgbench } from "../../test/support/workload.ts";

/** Tables of pgbench with their first rows, and its TPC-B transactions on them. */
export interface Tpcb {
  fill(): Promise<void>;
  /** Writes until the signal; resolves with how many transactions committed. */
  write(signal: AbortSignal): Promise<number>;
}

export interface TpcbLoad {
  readonly scale: number;
  readonly clients: number;
  /** Transactions a second; 0 for as many as go. */
  readonly rate: number;
  readonly minutes: number;
}

const ACCOUNTS = 100_000;
const TELLERS = 10;

/** By pgbench itself. */
export function pgbenchLoad({ endpoint, name, rows }: TestSchema, load: TpcbLoad): Tpcb {
  const { host, port, database, username, password } = endpoint;
  const path = encodeURIComponent(`-c search_path=${name}`);
  const user = `${username}:${encodeURIComponent(password ?? "")}`;
  const url = `postgresql://${user}@${host}:${port}/${database}?options=${path}`;
  return {
    async fill() {
      await runPgbench({ url, args: ["-i", "-q", "-s", String(load.scale)] });
    },
    async write(signal) {
      const rate = load.rate === 0 ? [] : ["-R", String(load.rate)];
      // It ends by the signal, and by itself when that is forgotten.
      const seconds = Math.ceil(load.minutes * 60) + 600;
      const clients = ["-c", String(load.clients), "-T", String(seconds), ...rate];
      await runPgbench({ url, args: ["-n", ...clients], signal });
      const [[count]] = (await rows("select count(*) from pgbench_history")) as [[string]];
      return Number(count);
    },
  };
}

/** pgbench's tables and transactions by sessions of this program. */
export function mysqlLoad({ endpoint }: TestSchema, load: TpcbLoad): Tpcb {
  const { scale, clients } = load;
  const open = (): Promise<mysql.Connection> => connect(endpoint);
  return {
    async fill() {
      const session = await open();
      try {
        for (const sql of tables) await session.query(sql);
        const filled = [
          ["branches (bid, filler, bbalance)", 1],
          ["tellers (tid, bid, tbalance)", TELLERS],
          ["accounts (aid, bid, abalance)", ACCOUNTS],
        ] as const;
        for (const [into, each] of filled) {
          const values = `select seq, (seq - 1) div ${each} + 1, 0 from seq_1_to_${each * scale}`;
          await session.query(`insert into pgbench_${into} ${values}`);
        }
      } finally {
        await session.end();
      }
    },
    async write(signal) {
      const pauseMs = load.rate === 0 ? 0 : (clients * 1000) / load.rate;
      const counts = await Promise.all(
        Array.from({ length: clients }, async () => {
          const session = await open();
          try {
            let commits = 0;
            for (; !signal.aborted; commits++) {
              await transact(session, scale);
              if (pauseMs > 0) await setTimeout(pauseMs);
            }
            return commits;
          } finally {
            await session.end();
          }
        }),
      );
      return counts.reduce((sum, count) => sum + count, 0);
    },
  };
}

function connect({ host, port, username, password, database }: EndpointConfig): Promise<mysql.Connection> {
  return mysql.createConnection({
    host,
    port,
    user: username,
    ...(password === undefined ? {} : { password }),
    database,
  });
}

const tables: readonly string[] = [
  "create table pgbench_branches (bid int primary key, bbalance int, filler char(88))",
  "create table pgbench_tellers (tid int primary key, bid int, tbalance int, filler char(84))",
  "create table pgbench_accounts (aid int primary key, bid int, abalance int, filler char(84))",
  "create table pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22))",
];

async function transact(session: mysql.Connection, scale: number): Promise<void> {
  const one = (most: number): number => 1 + Math.floor(Math.random() * most);
  const [aid, tid, bid] = [one(ACCOUNTS * scale), one(TELLERS * scale), one(scale)];
  const delta = one(10_001) - 5_001;
  await session.query("begin");
  await session.query("update pgbench_accounts set abalance = abalance + ? where aid = ?", [delta, aid]);
  await session.query("select abalance from pgbench_accounts where aid = ?", [aid]);
  await session.query("update pgbench_tellers set tbalance = tbalance + ? where tid = ?", [delta, tid]);
  await session.query("update pgbench_branches set bbalance = bbalance + ? where bid = ?", [delta, bid]);
  const history = [tid, bid, aid, delta];
  await session.query(
    "insert into pgbench_history (tid, bid, aid, delta, mtime) values (?, ?, ?, ?, current_timestamp)",
    history,
  );
  await session.query("commit");
}
