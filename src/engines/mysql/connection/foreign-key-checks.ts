import type { Client } from "./client.ts";

/** Does work without a look at foreign keys; the session looks at them again afterwards. */
export async function uncheckedKeys<Result>(client: Client, work: () => Promise<Result>): Promise<Result> {
  await client.execute("set foreign_key_checks = 0");
  try {
    return await work();
  } finally {
    if (client.usable) await client.execute("set foreign_key_checks = 1");
  }
}
