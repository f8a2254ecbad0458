import pg from "pg";

/*
 * Two tables compared as programs do that read rows by a driver: both in the order of a key, some thousand rows at a time,
 * value by value. Arguments: the URLs, the table, and its key. Exit code 1 when they differ.
 */

const ROWS = 5_000;

const [source, target, table, key] = process.argv.slice(2) as [string, string, string, string];
const types = { getTypeParser: () => (value: string | Buffer) => value } as pg.CustomTypesConfig;

async function open(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString, types });
  await client.connect();
  await client.query(
    `begin isolation level repeatable read read only;
     declare rows no scroll cursor for select * from ${table} order by ${key}`,
  );
  return client;
}

async function next(client: pg.Client): Promise<readonly (readonly string[])[]> {
  const { rows } = await client.query<string[]>({ text: `fetch ${ROWS} from rows`, rowMode: "array" });
  return rows;
}

function isSame(a: readonly (readonly string[])[], b: readonly (readonly string[])[]): boolean {
  return a.length === b.length && a.every((row, i) => row.every((value, column) => value === b[i]![column]));
}

const clients = await Promise.all([open(source), open(target)]);
for (;;) {
  const [here, there] = await Promise.all([next(clients[0]), next(clients[1])]);
  if (!isSame(here, there)) process.exitCode = 1;
  if (here.length === 0 || process.exitCode === 1) break;
}
await Promise.all(clients.map((client) => client.end()));
