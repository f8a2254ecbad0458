import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "../test/support/eventually.ts";
import { buryAll } from "./faults-network.ts";
import type { Side, World } from "./world.ts";

/** All that a task may put into a database, but for the control tables themselves, which stay. */
const LEFT = `
  select 'replication slot ' || slot_name as what from pg_replication_slots
  union all select 'publication ' || pubname from pg_publication
  union all select 'event trigger ' || evtname from pg_event_trigger
  union all select 'replication origin ' || roname from pg_replication_origin
  union all select 'session ' || application_name from pg_stat_activity where application_name like 'tideway %'
  union all select 'temporary table ' || relname from pg_class where relpersistence = 't' and relkind = 'r'`;

const CONTROL_TABLES = `
  select c.oid::regclass::text as name from pg_class c where relkind = 'r' and relname like 'awsdms\\_%'`;

/** Directories of a server's data in which slots and large sorts have their files. */
const TRANSIENT = ["pg_replslot", "base/pgsql_tmp"];

/** What is left of a task that was deleted; sessions get some time to end. */
export async function findLeft(world: World): Promise<readonly string[]> {
  buryAll(world);
  const left: string[] = [];
  for (const [name, side] of [
    ["source", world.source],
    ["target", world.target],
  ] as const) {
    let found: readonly string[] = [];
    await eventually("nothing to be left", async () => {
      found = [...(await inDatabase(side)), ...(await inFiles(side))];
      return found.length === 0;
    }).catch(() => undefined);
    left.push(...found.map((what) => `left on the ${name}: ${what}`));
  }
  return left;
}

async function inDatabase({ server, database }: Side): Promise<readonly string[]> {
  const left = (await server.query(LEFT, database)).map(({ what }) => what as string);
  for (const { name } of await server.query(CONTROL_TABLES, database)) {
    const [{ rows }] = await server.query(`select count(*)::int as rows from ${name}`, database);
    if (rows > 0) left.push(`${rows} rows in ${name}`);
  }
  return left;
}

async function inFiles({ server }: Side): Promise<readonly string[]> {
  const files = await Promise.all(
    TRANSIENT.map(async (directory) => {
      const names = await readdir(join(server.directory, "data", directory)).catch(() => []);
      return names.map((name) => `file ${directory}/${name}`);
    }),
  );
  return files.flat();
}

/** Paths below a directory, which need not be there. */
export async function filesBelow(directory: string): Promise<readonly string[]> {
  return (await readdir(directory, { recursive: true }).catch(() => [])).toSorted();
}
