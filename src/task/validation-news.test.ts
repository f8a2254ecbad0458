import assert from "node:assert/strict";
import { test } from "node:test";
import { MigrationError } from "../core/error.ts";
import { RevalidationBook } from "./revalidation-book.ts";
import { TaskStatistics } from "./statistics.ts";
import type { TableValidationProgress } from "./task.ts";

const [a, b] = ["a", "b"].map((name) => ({ schema: "s", name })) as [Table, Table];
type Table = { readonly schema: string; readonly name: string };

function watched() {
  const told: unknown[] = [];
  const statistics = new TaskStatistics({
    progress() {},
    finding: ({ code, subject }) => told.push([code, subject]),
    log: (level, message, fields) => told.push([level, message, fields]),
  });
  statistics.setTables([a, b].map((id) => ({ id, estimatedRows: 1, estimatedBytes: 1 })));
  const news = (id: Table, change: Partial<TableValidationProgress>): readonly unknown[] => {
    told.length = 0;
    statistics.validating(id, change);
    return [...told];
  };
  return { statistics, news };
}

test("what validation finds of a table is told when it changes, and once when all have been compared", () => {
  const { statistics, news } = watched();
  const isValid = (id: Table): unknown => ["info", "table is validated", { table: `"s"."${id.name}"` }];
  const differs = (rows: number): unknown => ["warn", "rows differ", { table: '"s"."b"', rows }];
  const end = (rows: number, differing: number): unknown => [
    ...["info", "all tables have been compared"],
    { tables: 2, differing, rows },
  ];
  for (const { schema, name } of [a, b]) {
    assert.deepEqual(news({ schema, name }, { state: "Pending validation" }), []);
    assert.deepEqual(news({ schema, name }, { state: "Preparing table", rowsCompared: 5 }), []);
  }
  assert.deepEqual(news(a, { state: "Validated", rowsCompared: undefined }), [isValid(a)]);
  const found = news(b, { state: "Mismatched records", failed: 2, rowsCompared: undefined });
  assert.deepEqual(found, [differs(2), ["validation.rows_differ", "s.b"], end(2, 1)]);
  // Rows that change are compared all the time.
  assert.deepEqual(news(a, { state: "Pending records", pending: 3 }), []);
  assert.deepEqual(news(a, { state: "Validated", pending: 0 }), []);
  assert.deepEqual(news(b, { failed: 3 }), []);
  assert.deepEqual(news(b, { state: "Validated", failed: 0 }), [isValid(b)]);
  assert.deepEqual(news(b, { state: "Mismatched records", failed: 1 }), [differs(1)]);
  // So is a table without a key, as a whole.
  assert.deepEqual(news(b, { state: "Pending revalidation" }), []);
  assert.deepEqual(news(b, { state: "Mismatched records", failed: 1, rowsCompared: 1 }), []);
  assert.deepEqual(news(b, { state: "Validated", failed: 0, rowsCompared: undefined }), [isValid(b)]);
  statistics.revalidationAnswered(a, 1);
  assert.deepEqual(news(a, { state: "Validated" }), [isValid(a), end(0, 0)]);
  statistics.close();
});

test("why a table is not validated is told", () => {
  const { statistics, news } = watched();
  const fields = { table: '"s"."a"', state: "Table error", reason: "Why." };
  assert.deepEqual(news(a, { state: "Table error", details: "Why." }), [
    ["warn", "table is not validated", fields],
  ]);
  assert.deepEqual(news(a, { state: "Suspended records", suspended: 1 }), [
    ["warn", "rows are not decided", { table: '"s"."a"', rows: 1 }],
  ]);
  statistics.close();
});

test("a table that is set aside is in error whatever its comparison says, and nobody waits for it", () => {
  const { statistics, news } = watched();
  const state = (): unknown => statistics.snapshot().tables[1]!.validation;
  news(a, { state: "Pending validation" });
  news(b, { state: "Preparing table", rowsCompared: 5, pending: 7, failed: 1 });
  statistics.tableFailed(b, new MigrationError("source.table_changed", { message: "Why.", table: b }));
  const aside = { state: "Table error", pending: 0, failed: 1, suspended: 0 };
  assert.deepEqual(state(), aside);
  assert.deepEqual(news(b, { state: "Pending revalidation", pending: 3 }), []);
  assert.deepEqual(state(), aside);
  assert.deepEqual(news(a, { state: "Validated" }), [
    ["info", "table is validated", { table: '"s"."a"' }],
    ["info", "all tables have been compared", { tables: 1, differing: 0, rows: 0 }],
  ]);
  statistics.reloading(b);
  news(b, { state: "Pending revalidation" });
  assert.deepEqual(state(), { ...aside, state: "Pending revalidation" });
  statistics.close();
});

test("a wish to compare a table anew waits until it is answered, which its progress shows", () => {
  const { statistics } = watched();
  const book = new RevalidationBook(statistics);
  const of = (index: number) => {
    const { revalidationAnswered, validation } = statistics.snapshot().tables[index]!;
    return [revalidationAnswered, validation?.state];
  };
  book.ask({ ...a, validateOnly: true, number: 1 });
  book.ask({ ...b, validateOnly: true, number: 2 });
  book.ask({ ...a, validateOnly: true, number: 3 });
  assert.deepEqual(book.wanted, [a, b]);
  book.answered(a);
  assert.deepEqual(book.wanted, [b]);
  assert.deepEqual(of(0), [3, "Pending revalidation"]);
  assert.deepEqual(of(1), [undefined, undefined]);
  book.answered(a);
  assert.deepEqual(of(0), [3, "Pending revalidation"]);
  statistics.close();
});
