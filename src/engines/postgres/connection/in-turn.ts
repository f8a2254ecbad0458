import type pg from "pg";

/**
 * One statement that changes the schema at a time, over all Tideways on this database: two that touch
 * the same tables from both ends of a foreign key would deadlock, and two that create the same type
 * would fail. Each is short, so nothing is lost. The number is arbitrary.
 */
const TURN = "select pg_advisory_xact_lock(7450216318093)";

export async function inTurn<Result>(client: pg.Client, work: () => Promise<Result>): Promise<Result> {
  await client.query(`begin transaction isolation level read committed read write; ${TURN}`);
  try {
    const result = await work();
    await client.query("commit");
    return result;
  } catch (error) {
    await client.query("rollback").catch(() => undefined);
    throw error;
  }
}
