import assert from "node:assert/strict";
import { test } from "node:test";
import { assertEqualDatabases } from "../support/assert-equal.ts";
import { endpointOf } from "../support/endpoint.ts";
import { type PostgresServer, startPostgres } from "../support/postgres-server.ts";
import { repairedByClient } from "../support/repair.ts";
import { ObservedTask, schemas, taskSpec } from "../support/task.ts";
import { typeSchema, untriedTypes } from "../support/type-schema.ts";
import { type TypeSample, typeSamples } from "../support/type-values.ts";

/*
 * Every type, by full load and by changes: a table for each, with values that the source makes up and an
 * array of them. What both servers say of the values decides.
 */

const ROWS = 60;

function has({ since = 12 }: { readonly since?: number }, version: number): boolean {
  return since <= version;
}

function edgesOf(sample: TypeSample, version: number): readonly string[] {
  return [
    ...sample.edges,
    ...(sample.later ?? []).filter((more) => has(more, version)).flatMap(({ edges }) => edges),
  ];
}

/** The samples that both servers can hold. A value that only the newer one knows is not tried. */
function samplesFor(version: number): readonly TypeSample[] {
  return typeSamples.filter((sample) => has(sample, version));
}

/** Types of which there are no arrays to be had by `type[]`, or none that a column can be compared by. */
const WITHOUT_ARRAYS: ReadonlySet<string> = new Set(["int2vector", "oidvector", "refcursor"]);

function createTables(version: number): string {
  const tables = samplesFor(version).map(({ type }, n) => {
    const array = WITHOUT_ARRAYS.has(type) ? "" : `, vs ${type}[]`;
    return `create table types.t${n} (id integer primary key, v ${type}${array}, changed integer default 0)`;
  });
  return `${typeSchema} set search_path = types, public; ${tables.join("; ")}`;
}

/** Rows from `first` on: random values, the edges, NULL, and arrays of several shapes. */
function fillTables(version: number, first: number): string {
  const statements = samplesFor(version).map((sample, n) => {
    const { type, random } = sample;
    const edges = [...edgesOf(sample, version).map((edge) => `(${edge})::${type}`), `null::${type}`];
    const plain = [
      `insert into types.t${n} (id, v) select ${first} + i, (${random})::${type} from generate_series(1, ${ROWS}) as i`,
      ...edges.map(
        (edge, at) => `insert into types.t${n} (id, v) values (${first + ROWS + 1 + at}, ${edge})`,
      ),
    ];
    if (WITHOUT_ARRAYS.has(type)) return plain.join(";\n");
    const nulls = type === "box" ? "{NULL;NULL}" : "{NULL,NULL}";
    return [
      ...plain,
      `update types.t${n} set vs = case id % 5 when 0 then array[v, null::${type}, v]
         when 1 then array[[v, v], [null::${type}, v]] when 2 then '{}' when 3 then ('[2:3]=${nulls}')::${type}[] end
        where id > ${first}`,
      `update types.t${n} set vs[-1] = v where id > ${first} and id % 5 = 4`,
    ].join(";\n");
  });
  return `select setseed(0.5); ${statements.join(";\n")}`;
}

function changeTables(version: number): string {
  return samplesFor(version)
    .map(
      (_, n) => `update types.t${n} set changed = 1 where id % 3 = 0;
      update types.t${n} set v = (select o.v from types.t${n} o where o.id = types.t${n}.id + 1) where id % 7 = 0;
      update types.t${n} set id = id + 100000 where id % 11 = 0;
      delete from types.t${n} where id % 13 = 0;`,
    )
    .join("\n");
}

async function roundTrip(source: PostgresServer, target: PostgresServer, full: boolean): Promise<void> {
  const version = Math.min(source.version, target.version);
  await source.query(`${createTables(version)}; ${fillTables(version, 0)}`);
  if (full)
    for (let n = 0; n < samplesFor(version).length; n += 2)
      await source.query(`alter table types.t${n} replica identity full`);
  const spec = taskSpec({
    type: "full-load-and-cdc",
    source: endpointOf(source, "postgres"),
    target: endpointOf(target, "postgres"),
    tableMappings: schemas("types", "public"),
  });
  const task = new ObservedTask(spec);
  await task.until((progress) => progress.phase === "replicating");
  await source.query(fillTables(version, 1000));
  await source.query(changeTables(version));
  task.running.drain();
  const outcome = await task.running.outcome;
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  assert.deepEqual(outcome.suspendedTables, []);
  assert.equal(
    outcome.progress.tables.reduce((sum, { conflicts }) => sum + conflicts, 0),
    0,
  );
  const databases = { source, from: "postgres", target, to: "postgres", schemas: ["types"] };
  await assertEqualDatabases(databases);
  if (full) return;

  const damage = samplesFor(version).map(
    (
      _,
      n,
    ) => `update types.t${n} set v = null, changed = 7 where id % 3 = 0; delete from types.t${n} where id % 3 = 1;
      update types.t${n} set id = id - 1 where id = 1002`,
  );
  await target.query(damage.join(";\n"));
  assert.ok((await repairedByClient(spec)) > 20 * samplesFor(version).length);
  await assertEqualDatabases(databases);
}

/** Of what PostgreSQL brings along; that of other languages needs more than the server. */
async function createAllExtensions(server: PostgresServer): Promise<void> {
  const rows = await server.query(
    "select name from pg_available_extensions where name !~ 'pl(perl|python)' order by name",
  );
  await server.query(rows.map(({ name }) => `create extension if not exists "${name}" cascade`).join("; "));
}

for (const version of [12, 18]) {
  test(`no type of PostgreSQL ${version} and its extensions is forgotten`, async () => {
    await using server = await startPostgres({ version });
    await createAllExtensions(server);
    await server.query(createTables(version));
    // All but arrays and composite types, which are like others of their kind.
    const rows = await server.query(
      `select t.typname as name from pg_type t
        where t.typtype in ('b', 'd', 'e', 'm', 'r') and not exists (select from pg_type e where e.typarray = t.oid)
          and t.typnamespace <> 'types'::regnamespace
          and not exists (select from pg_attribute a where a.atttypid = t.oid and a.attrelid in (
            select oid from pg_class where relnamespace = 'types'::regnamespace))`,
    );
    const forgotten = rows.map(({ name }) => name as string).filter((name) => !(name in untriedTypes));
    assert.deepEqual(forgotten, []);
  });
}

for (const [from, to] of [
  [12, 18],
  [14, 16],
  [18, 18],
  [18, 13],
] as const) {
  test(`values of every type come from PostgreSQL ${from} to ${to} as they are`, async () => {
    await using source = await startPostgres({ version: from });
    await using target = await startPostgres({ version: to });
    await roundTrip(source, target, from !== to);
  });
}
