import assert from "node:assert/strict";
import { test } from "node:test";
import { MysqlPair } from "../support/mysql-pair.ts";
import { type MysqlFlavour, startMysql } from "../support/mysql-server.ts";
import { postgisBinaries, postgisServer } from "../support/postgis.ts";
import { startPostgres } from "../support/postgres-server.ts";
import { serverOfFile } from "../support/server-pair.ts";

/* Shapes of MySQL and MariaDB come as PostGIS's own where the target has the extension, and stay what they are. */

const binaries = postgisBinaries();
const skip = binaries === undefined ? `needs ${postgisServer.name}: ${postgisServer.debianPackage}` : false;
const target = binaries === undefined ? undefined : await serverOfFile(startPostgres({ binaries }));

const KINDS = ["g", "p", "l", "a", "mp", "ml", "ma", "c"] as const;

const schema = `
  create table shapes (id int auto_increment primary key, g geometry, p point not null, l linestring, a polygon,
    mp multipoint, ml multilinestring, ma multipolygon, c geometrycollection, note text,
    spatial index places (p), index beginnings (g(10)));
  create table bare (g geometry, n int);
  create table kept (id int primary key, g geometry, w geometry);
  create table plain (id int primary key, g blob);
  insert into plain values (1, x'0101000000000000000000f03f0000000000000040');
  create table beyond (id int primary key, g geometry);
  insert into beyond values (1, st_geomfromtext('point(1 1)', 1000000)), (2, st_geomfromtext('point(1 1)', 999999))`;

const line = (length: number): string =>
  `linestring(${Array.from({ length }, (_, i) => `${i} ${i / 7}`).join(", ")})`;
const square = "polygon((0 0, 4 0, 4 4, 0 4, 0 0), (1 1, 2 1, 2 2, 1 2, 1 1))";

/** A row for each, of texts by their columns; a point of longitude and latitude where there is none. */
const values: readonly Readonly<
  Partial<Record<(typeof KINDS)[number], readonly [text: string, reference: number]>>
>[] = [
  { g: ["point(1.5 -2.25)", 4326], p: ["point(13.4 52.5)", 4326], l: ["linestring(0 0, 1 1)", 0] },
  { g: [square, 900913], a: [square, 31467], mp: ["multipoint(0 0, 1 1)", 0] },
  { g: ["geometrycollection()", 0], c: ["geometrycollection()", 3857] },
  { g: [line(6000), 3857], l: [line(3), 999999], ml: ["multilinestring((0 0, 1 1), (2 2, 3 3))", 25832] },
  {
    ma: [`multi${square.replace("(", "((")})`, 4326],
    c: ["geometrycollection(point(1 1), linestring(0 0, 1 1))", 0],
  },
  { c: ["multipoint(5 5)", 4326], g: ["geometrycollection(geometrycollection(point(1 2)))", 4326] },
];

const inserts = [
  ...values.map((row) => {
    const all = { p: ["point(2 49)", 4326] as const, ...row };
    const list = KINDS.map((kind) => {
      const value = all[kind];
      return value === undefined ? "null" : `st_geomfromtext('${value[0]}', ${value[1]})`;
    });
    return `insert into shapes (${KINDS.join(", ")}, note) values (${list.join(", ")}, 'a\\tb\\\\c\\nd')`;
  }),
  "insert into bare values (st_geomfromtext('point(1 1)', 4326), 1), (null, 2), (st_geomfromtext('point(1 1)'), 1)",
].join("; ");

const changes = `${inserts}; ${inserts};
  update shapes set g = p, p = st_geomfromtext('point(-7 8)', 4326), note = 'x' where id % 3 = 1;
  update shapes set note = 'y'; update shapes set c = null, l = null where id % 4 = 0; delete from shapes where id % 5 = 2;
  update bare set n = 3 where st_srid(g) = 4326 limit 2; delete from bare where st_srid(g) = 0 limit 1;
  insert into plain values (2, x'000000000140000000000000004008000000000000'), (3, null);
  update kept set g = st_geomfromtext('point(3 3)', 4326), w = st_geomfromtext('point(4 4)', 4326)`;

async function assertSame(pair: MysqlPair): Promise<void> {
  for (const [table, kinds, key] of [
    ["shapes", KINDS, "id"],
    ["bare", ["g"], "n"],
    ["kept", ["g", "w"], "id"],
  ] as const) {
    const text = kinds.map(
      (kind) => `lower(hex(st_aswkb(${kind}))) as ${kind}, st_srid(${kind}) as ref_${kind}`,
    );
    const own = kinds.map((kind) => {
      const value = `${kind}::gis.geometry`;
      return `encode(gis.st_asbinary(${value}, 'NDR'), 'hex') as ${kind}, gis.st_srid(${value})::text as ref_${kind}`;
    });
    const before = await pair.query(`select ${key}, ${text.join(", ")} from ${table}`);
    const after = await pair.queryTarget(`select ${key}::text, ${own.join(", ")} from ${table}`);
    const sorted = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).toSorted();
    assert.deepEqual(sorted(after), sorted(before), table);
    assert.ok(before.length > 0);
  }
}

for (const flavour of ["mariadb", "mysql"] as const satisfies readonly MysqlFlavour[]) {
  test(`shapes come to PostGIS by load and by changes: ${flavour}`, { skip }, async () => {
    const source = await serverOfFile(startMysql({ flavour }));
    const kept =
      "insert into kept values (1, st_geomfromtext('point(1 2)', 4326), st_geomfromtext('point(1 2)', 4326))";
    const pair = await MysqlPair.make(
      { source, target: target! },
      {
        ...{ name: `shapes_${flavour}`, schema: `${schema}; ${inserts}; ${kept}` },
        settings: JSON.stringify({
          TargetMetadata: { LimitedSizeLobMode: true, LobMaxSize: 1 },
          FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING" },
          ErrorBehavior: { RecoverableErrorInterval: 1 },
        }),
      },
    );
    // A table that is there decides by itself what shapes are.
    await target!.query(
      `create schema gis; create extension postgis schema gis; create schema ${pair.from};
       create table ${pair.from}.kept (id int primary key, g bytea, w gis.geography);
       create table ${pair.from}.plain (id int primary key, g gis.geometry)`,
      pair.to,
    );
    try {
      const task = await pair.replicate();
      await assertSame(pair);
      await pair.query(changes);
      await pair.query(
        "insert into shapes (g, p) values (st_geomfromtext('point(1 1)', 1000000), point(1, 1))",
      );
      const { progress } = await pair.drain(task);
      const refused = await pair.queryTarget(
        `select "TABLE_NAME" as t from awsdms_apply_exceptions where "TASK_NAME" = '${pair.spec.id}' order by 1`,
      );
      // One in the load, one in the changes.
      assert.deepEqual(refused, [{ t: "beyond" }, { t: "shapes" }], JSON.stringify(progress.tables));
      assert.deepEqual(await pair.queryTarget("select id from beyond"), [{ id: 2 }]);
      await pair.query("delete from shapes where st_srid(g) = 1000000");
      await assertSame(pair);
      const points = "select id, gis.st_astext(g) as g from plain order by id";
      assert.deepEqual(await pair.queryTarget(points), [
        { id: 1, g: "POINT(1 2)" },
        { id: 2, g: "POINT(2 3)" },
        { id: 3, g: null },
      ]);
      const types = await pair.queryTarget(
        `select string_agg(format_type(atttypid, atttypmod), ' ' order by attnum) as all from pg_attribute
          where attrelid = 'shapes'::regclass and attnum between 2 and 9`,
      );
      assert.equal(
        types[0]!.all,
        "gis.geometry gis.geometry(Point) gis.geometry(LineString) gis.geometry(Polygon) gis.geometry(MultiPoint) gis.geometry(MultiLineString) gis.geometry(MultiPolygon) gis.geometry",
      );
      const indexes = await pair.queryTarget(
        "select indexdef from pg_indexes where tablename = 'shapes' order by 1",
      );
      assert.equal(indexes.length, 2);
      assert.match(indexes[0]!.indexdef, /using gist \(p\)/i);
      const told = task.findings.map(({ code, message }) => `${code}: ${message}`).join("\n");
      assert.match(told, /convert\.index: .*beginnings/);
      assert.doesNotMatch(told, /Columns of shapes/);
    } finally {
      await pair.end();
    }
  });
}
