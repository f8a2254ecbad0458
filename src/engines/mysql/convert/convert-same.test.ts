import assert from "node:assert/strict";
import { test } from "node:test";
import * as mysql from "../../../../test/support/mysql-catalog.ts";
import { mariadb, refusing } from "../../../../test/support/mysql-convert.ts";
import { compile } from "../../../../test/support/plan-situation.ts";
import { convertPlan } from "./convert.ts";

test("a column that MySQL computes with backslashes is told, as its sessions read them in two ways", () => {
  const computed = (name: string, generated: string) => mysql.text(name, 9, { generated, sends: true });
  const columns = [mysql.int("id"), computed("plain", "'/'"), computed("path", String.raw`concat(id,'\\n')`)];
  const told = (serverVersion: string): readonly string[] => {
    const catalog = { ...mysql.mysqlCatalog([mysql.mysqlTable("shop.t", columns, {})]), serverVersion };
    const { findings } = convertPlan(compile({ catalog }).plan, mariadb, refusing);
    return findings.filter(({ code }) => code === "convert.generated").map(({ message }) => message);
  };
  assert.match(told("MySQL 5.7.29").join(), /^The source computes the column path with other backslashes/);
  assert.deepEqual(told("MariaDB 10.11.19"), []);
});
