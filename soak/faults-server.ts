import { eventually } from "../test/support/eventually.ts";
import { type Fault, hold, seconds } from "./fault.ts";
import type { Side, World } from "./world.ts";

/** Faults of the database servers, and of others who use them. */

type Which = keyof Pick<World, "source" | "target">;

const OURS = "datname = current_database() and application_name like 'tideway %'";
const LOCKED = ["shop.orders", "shop.order_lines", "audit.events", "soak.documents", "soak.keyless"];

/** Ends as at a loss of power, without the power: what was written to files is there. */
export function crash(which: Which): Fault {
  return async ({ world }) => {
    const { server } = world[which];
    const { pid } = server;
    const beganMs = performance.now();
    await server.stop("SIGQUIT");
    await server.start();
    return `server ${pid} ended at once, ${server.pid} ready ${seconds(performance.now() - beganMs)} later`;
  };
}

async function signalSessions({ observer }: Side, call: string, condition: string): Promise<number> {
  return await eventually("a session", async () => {
    const told = await observer.ask<{ count: number }>(
      `select count(*) filter (where told)::int as count
         from (select ${call}(pid) as told from pg_stat_activity where ${OURS} and ${condition}) as sessions`,
    );
    return told !== undefined && told.count > 0 && told.count;
  });
}

export function endSessions(which: Which): Fault {
  return async ({ world }) =>
    `${await signalSessions(world[which], "pg_terminate_backend", "true")} sessions ended`;
}

export const cancelStatement: Fault = async ({ world }) =>
  `${await signalSessions(world.target, "pg_cancel_backend", "state = 'active'")} statements cancelled`;

/** Somebody holds a table for twice as long as other faults last, once Tideway waits for it. */
export const lockTable: Fault = async ({ world: { target }, holdMs, random }) => {
  const table = random.pick(LOCKED);
  const holder = await target.server.connect(target.database);
  try {
    await holder.query("begin");
    await holder.query(`lock table ${table} in access exclusive mode`);
    const { rows } = await holder.query("select pg_backend_pid() as pid");
    const beganMs = performance.now();
    await eventually("a session to wait for the lock", async () => {
      const waiting = await target.observer.ask<{ count: number }>(
        `select count(*)::int as count from pg_stat_activity where ${OURS} and $1 = any (pg_blocking_pids(pid))`,
        [rows[0].pid],
      );
      return waiting !== undefined && waiting.count > 0;
    });
    const waitedMs = performance.now() - beganMs;
    await hold(2 * holdMs);
    return `${table} held for ${seconds(2 * holdMs)}, waited for after ${seconds(waitedMs)}`;
  } finally {
    await holder.end();
  }
};
