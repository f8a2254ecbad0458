import assert from "node:assert/strict";
import { test } from "node:test";
import { MysqlPair, mysqlToPostgres } from "../support/mysql-pair.ts";
import { mysqlRentalChanges, mysqlRentalRows, mysqlRentalSchema } from "../support/mysql-rental-schema.ts";

for (const flavour of ["mariadb", "mysql"] as const) {
  test(`a film rental moves with all that PostgreSQL has for it, and goes on: ${flavour}`, async () => {
    const servers = await mysqlToPostgres({ flavour });
    const pair = await MysqlPair.make(servers, {
      name: "rental",
      schema: `${mysqlRentalSchema}; ${mysqlRentalRows}`,
    });
    try {
      const task = await pair.replicate();
      await pair.assertEqual();
      await pair.query(mysqlRentalChanges);
      const outcome = await pair.drain(task);
      await pair.assertEqual();
      assert.equal(
        outcome.progress.tables.reduce((sum, { conflicts }) => sum + conflicts, 0),
        0,
      );

      const keys = await pair.queryTarget(
        `select conname as name from pg_constraint where contype = 'f' and connamespace = current_schema()::regnamespace
          order by conname collate "C"`,
      );
      assert.deepEqual(
        keys.map(({ name }) => name),
        [
          "fk_address_city",
          "fk_city_country",
          "fk_film_actor_actor",
          "fk_film_actor_film",
          "fk_film_language",
          "fk_film_language_original",
          "fk_rental_film",
          "fk_rental_staff",
          "fk_staff_boss",
          "fk_staff_store",
          "fk_store_address",
          "fk_store_staff",
        ],
      );
      const indexes = await pair.queryTarget(
        "select indexname as name from pg_indexes where schemaname = current_schema()",
      );
      const names = new Set(indexes.map(({ name }) => name));
      for (const name of [
        "idx_title",
        "idx_fk_film_id",
        "rental_idx_fk_film_id",
        "idx_unique_manager",
        "rental_date",
        "film_pkey",
      ]) {
        assert.ok(names.has(name), name);
      }
      const told = new Map(task.findings.map(({ code, message }) => [`${code} ${message}`, true]));
      for (const pattern of [
        /^convert\.index .*idx_words/,
        /^convert\.index .*idx_location/,
        /^convert\.generated .*score/,
        /^convert\.on_update .*last_update/,
        /^convert\.collation /,
        /^convert\.type .*rental\w*\.film\.rating/,
        /^source\.not_moved .*film_list/,
      ]) {
        assert.ok(
          [...told.keys()].some((line) => pattern.test(line)),
          `${pattern}: ${[...told.keys()].join("\n")}`,
        );
      }
      // Its numbers go on behind those of the source, and what has defaults takes them.
      const [film] = await pair.queryTarget(
        "insert into film (title, language_id) values ('after', 1) returning film_id, rental_rate, rating, flags::text",
      );
      const [last] = await pair.query("select max(film_id) as id from film");
      assert.deepEqual(film, {
        film_id: String(Number(last!["id"]) + 1),
        rental_rate: "4.99",
        rating: "G",
        flags: "00000011",
      });
    } finally {
      await pair.end();
    }
  });
}
