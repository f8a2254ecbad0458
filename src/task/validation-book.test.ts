import assert from "node:assert/strict";
import { test } from "node:test";
import type { JournaledTable } from "../core/journal.ts";
import type { TablePlan } from "../core/plan.ts";
import type { Column, TableId } from "../core/schema.ts";
import type { Attempt } from "./attempt.ts";
import type { TableValidationProgress } from "./task.ts";
import { ValidationBook } from "./validation-book.ts";

const id: TableId = { schema: "shop", name: "orders" };
const signal = new AbortController().signal;

/** A table with these columns, of which one is its key. */
function planOf(names: readonly string[], key: string): TablePlan {
  const columns = names.map(
    (name) => ({ name, nativeType: "text", type: { kind: "string" }, nullable: false }) as unknown as Column,
  );
  const side = { id, columns, key: [names.indexOf(key)], indexes: [], foreignKeys: [] };
  return { source: side, target: side } as unknown as TablePlan;
}

/** What a book is given by an attempt whose journal has one table, and what has become of it. */
class Desk {
  readonly told: Partial<TableValidationProgress>[] = [];
  readonly book = new ValidationBook({
    validating: (_, change) => void this.told.push(change),
    revalidationAnswered: () => undefined,
  });
  isCompared = false;
  #plan: TablePlan;

  constructor(plan: TablePlan) {
    this.#plan = plan;
  }

  get attempt(): Attempt {
    const journaled = (): JournaledTable =>
      ({ id, state: "ready", ...(this.isCompared ? { isCompared: true } : {}) }) as unknown as JournaledTable;
    return {
      plan: { tables: [this.#plan] },
      spec: { type: "full-load-and-cdc" },
      settings: { validation: { only: false, skipsLobs: false } },
      journal: {
        countValidationFailures: async () => new Map(),
        tables: async () => [journaled()],
        setCompared: async (_: unknown, isCompared: boolean) => {
          this.isCompared = isCompared;
        },
      },
      signal,
    } as unknown as Attempt;
  }

  /** An attempt begins, with the table as it is now. */
  async begins(plan = this.#plan): Promise<void> {
    this.#plan = plan;
    await this.book.begin(this.attempt);
  }

  /** The table is compared whole, and nothing is found. */
  compares(result: { readonly lacks?: string } = {}): void {
    this.book.begins(id, undefined, { follows: true });
    this.book.ended(id, {
      undecided: 0,
      fault: undefined,
      lacks: undefined,
      notes: undefined,
      ms: 0,
      ...result,
    });
  }

  get isDue(): boolean {
    return this.book.due(true).length > 0;
  }

  get state(): string | undefined {
    return this.told.at(-1)?.state;
  }
}

const plan = planOf(["id", "word"], "id");

test("a table is compared once, and again only after a new beginning", async () => {
  const desk = new Desk(plan);
  await desk.begins();
  assert.equal(desk.isDue, true);
  desk.compares();
  await desk.begins();
  assert.deepEqual([desk.isDue, desk.state], [false, "Validated"]);
  desk.book.forget([id]);
  await desk.begins();
  assert.deepEqual([desk.isDue, desk.state], [true, "Pending revalidation"]);
});

test("a table whose key stands elsewhere is another one", async () => {
  const desk = new Desk(plan);
  await desk.begins();
  desk.compares();
  await desk.begins(planOf(["added", "id", "word"], "id"));
  assert.equal(desk.isDue, true);
});

test("rows that are under way when a table begins anew do not count as those of the new one", async () => {
  const desk = new Desk(plan);
  await desk.begins();
  desk.compares();
  const generation = desk.book.takes(id, 10);
  desk.book.forget([id]);
  desk.book.tookUp(id, 10, { isDone: true, generation });
  desk.compares();
  assert.equal(desk.told.at(-1)?.pending, 0);
  desk.book.changed.putBack(id, ['["1"]']);
  assert.equal(desk.book.waiting().length, 1);
});

test("a table of which it is not known which rows have changed is compared before a goal is reached", async () => {
  const desk = new Desk(plan);
  await desk.begins();
  desk.compares();
  desk.book.changed.putBack(
    id,
    Array.from({ length: 100_001 }, (_, i) => `["${i}"]`),
  );
  const goal = desk.book.goal();
  assert.equal(
    goal.isReached(() => false),
    false,
  );
  assert.equal(
    goal.isReached(() => true),
    true,
  );
});

test("a goal is reached by a comparison that has begun after it, though the table is due again", async () => {
  const desk = new Desk(plan);
  await desk.begins();
  const goal = desk.book.goal();
  desk.book.begins(id, undefined, { follows: true });
  desk.book.wholeAgain(id);
  desk.book.ended(id, { undecided: 0, fault: undefined, lacks: undefined, notes: undefined, ms: 0 });
  assert.equal(desk.isDue, true);
  assert.equal(
    goal.isReached(() => false),
    true,
  );
});

test("who asks for a table anew sees when it has been compared whole, though it is written all the time", async () => {
  const desk = new Desk(plan);
  await desk.begins();
  desk.book.begins(id, undefined, { follows: true });
  desk.book.compared(id, 1);
  assert.equal(desk.state, "Pending records");
  const whole = { undecided: 0, fault: undefined, lacks: undefined, notes: undefined, ms: 0 };
  desk.book.ended(id, whole);
  desk.book.forget([id]);
  // What empties the table meanwhile is no answer.
  desk.book.forget([id], "changes");
  assert.equal(desk.state, "Pending revalidation");
  desk.book.begins(id, undefined, { follows: true });
  desk.book.compared(id, 1);
  desk.book.wholeAgain(id);
  assert.equal(desk.state, "Preparing table");
  desk.book.ended(id, whole);
  assert.deepEqual([desk.isDue, desk.state, desk.told.at(-1)?.pending], [true, "Pending records", 1]);
});

test("the journal has a table as compared when all of it was, and until a change comes", async () => {
  const desk = new Desk(plan);
  await desk.begins();
  desk.compares({ lacks: "The target has no column word." });
  await desk.book.record(desk.attempt);
  assert.equal(desk.isCompared, false);
  desk.compares();
  await desk.book.record(desk.attempt);
  assert.equal(desk.isCompared, true);
  await desk.book.anew([id], desk.attempt.journal, signal);
  assert.equal(desk.isCompared, false);
});
