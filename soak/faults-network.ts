import { eventually } from "../test/support/eventually.ts";
import { type Fault, seconds, untilStill } from "./fault.ts";
import type { Side, World } from "./world.ts";

/** Faults of the network between Tideway and one of the servers. */

type Which = "source" | "target";

const SLOW_BYTES_PER_SECOND = 32_768;
/** After so long a server's TCP keepalive has found out about a connection that is dead. */
const KEEPALIVE_MS = 60_000;

async function connected({ proxy }: Side): Promise<number> {
  await eventually("a connection", async () => proxy.connections > 0);
  return proxy.connections;
}

export function reset(which: Which): Fault {
  return async ({ world }) => {
    const connections = await connected(world[which]);
    world[which].proxy.reset();
    return `${connections} connections reset`;
  };
}

export function blackhole(which: Which): Fault {
  return async ({ world, holdMs }) => {
    const connections = await connected(world[which]);
    world[which].proxy.blackhole();
    try {
      await untilStill(world, holdMs);
    } finally {
      world[which].proxy.heal();
    }
    return `nothing passed for ${seconds(holdMs)} on ${connections} connections`;
  };
}

export function slow(which: Which): Fault {
  return async ({ world, holdMs }) => {
    const { proxy } = world[which];
    const { waits } = proxy;
    proxy.slow(SLOW_BYTES_PER_SECOND);
    const beganMs = performance.now();
    try {
      await eventually(
        "something to wait for the line",
        async () => proxy.waits > waits && performance.now() - beganMs > holdMs,
      );
    } finally {
      proxy.heal();
    }
    return `${SLOW_BYTES_PER_SECOND / 1024} KB/s, ${proxy.waits - waits} waits`;
  };
}

/** Neither end is told. Tideway has to find out by itself, which takes longer than a fault's time. */
export function forget(which: Which): Fault {
  return async ({ world }) => {
    const connections = await connected(world[which]);
    world[which].proxy.forget();
    setTimeout(() => world[which].proxy.bury(), KEEPALIVE_MS).unref();
    return `${connections} connections dead, nobody told`;
  };
}

/** What the servers would have found out by themselves some time later. */
export function buryAll({ source, target }: World): void {
  source.proxy.bury();
  target.proxy.bury();
}
