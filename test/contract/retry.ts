import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChangeBatch } from "../../src/core/change-batch.ts";
import { MigrationError } from "../../src/core/error.ts";
import type { Journal, RecordedException } from "../../src/core/journal.ts";
import type { RowErrorPolicies } from "../../src/core/row-errors.ts";
import { NOWHERE } from "../../src/core/row-inserts.ts";
import type { Applier } from "../../src/core/target.ts";
import { LOG } from "../support/row-error-policies.ts";
import { changeBatch, copyFrames, type NewChange } from "./change-rows.ts";
import { unaborted } from "./database-kind.ts";
import { TABLE, type TargetStage } from "./target-stage.ts";

const POLICIES: RowErrorPolicies = {
  ...LOG,
  refusedLimit: { count: 3, action: "suspend-table" },
  conflictLimit: { count: 4, action: "suspend-table" },
};
const SCREENED = { rowErrors: POLICIES, screens: true } as const;

const LONG = "x".repeat(50);

/** What holds for every target that has recorded rows, when they are looked up and tried again. */
export function retryContract(stage: (made?: string) => Promise<TargetStage>): void {
  /** What tells an applier of transactions, in turn. */
  const teller = async (
    at: TargetStage,
    applier: Applier,
  ): Promise<(...changes: readonly NewChange[]) => Promise<void>> => {
    const positions = (await at.positions(3)).values();
    return async (...changes) => {
      const position = positions.next().value!;
      await applier.apply(changeBatch(at.table.source, [{ position, changes }]), undefined);
      await applier.flush();
    };
  };

  const page = (at: TargetStage, journal: Journal, more: { after?: string; limit?: number } = {}) =>
    journal.exceptions({ table: at.table.target.id, after: undefined, limit: 10, ...more }, unaborted);

  /** Tries with some rows; resolves with how many are refused. */
  const retry = async (
    at: TargetStage,
    applier: Applier,
    given: {
      readonly exceptions: readonly RecordedException[];
      readonly overwrites: boolean;
      readonly changes: readonly NewChange[];
    },
  ): Promise<number> => {
    const { changes, ...request } = given;
    let refusals = 0;
    const batches = async function* (): AsyncGenerator<ChangeBatch> {
      yield changeBatch(at.table.source, [{ position: NOWHERE, changes }]);
    };
    const refused = (): void => void refusals++;
    await applier.retry({ ...request, plan: at.table, batches: batches(), refused });
    return refusals;
  };

  const missing: NewChange = { update: ["5", "x", "1"], was: ["5", null, null] };

  test("what is recorded is found page by page, each thing once with the number of its records", async () => {
    await using at = await stage();
    await at.withApplier(SCREENED, async ({ applier, journal }) => {
      const tell = await teller(at, applier);
      await tell(
        { insert: ["1", LONG, "1"] },
        { insert: ["2", "two", "2"] },
        { update: ["4", LONG, "1"], was: ["2", null, null] },
        { delete: ["3", null, null] },
        ...[missing, missing],
      );
      const all = await page(at, journal);
      const told = all.map(({ keys, leaves, conflicts, refused }) => ({
        ids: keys.map(({ id }) => id).join(),
        ...{ leaves, conflicts, refused },
      }));
      assert.deepEqual(
        told.toSorted((a, b) => a.ids.localeCompare(b.ids)),
        [
          { ids: "1", leaves: false, conflicts: 0, refused: 1 },
          { ids: "2,4", leaves: true, conflicts: 0, refused: 1 },
          { ids: "3", leaves: true, conflicts: 1, refused: 0 },
          { ids: "5", leaves: false, conflicts: 2, refused: 0 },
        ],
      );
      const pages: RecordedException[] = [];
      for (let after: string | undefined; pages.length < all.length; after = pages.at(-1)!.id) {
        const [next, ...others] = await page(at, journal, {
          ...(after === undefined ? {} : { after }),
          limit: 1,
        });
        assert.equal(others.length, 0);
        pages.push(next!);
      }
      assert.deepEqual(pages, all);
      assert.deepEqual(await page(at, journal, { after: all.at(-1)!.id }), []);
      const [codes, ...others] = await journal.recordedCodes(unaborted);
      assert.deepEqual([codes!.table, others], [at.table.target.id, []]);
      assert.deepEqual([...codes!.codes].toSorted(), [
        ["apply.rejected", 2],
        ["apply.row_missing", 3],
      ]);
    });
  });

  test("a row that is tried again comes, or is recorded anew, and what is gone of the records does not count", async () => {
    await using at = await stage();
    await at.withApplier(SCREENED, async ({ applier, journal }) => {
      const tell = await teller(at, applier);
      await at.schema.run("insert into t values (2, 'old', 0), (9, 'other', 0)");
      await tell({ insert: ["1", LONG, "1"] }, missing, missing, { delete: ["6", null, null] });
      const exceptions = await page(at, journal);
      const refused = await retry(at, applier, {
        ...{ exceptions, overwrites: true },
        changes: [
          { delete: ["9", null, null] },
          { insert: ["1", "one", "1"] },
          { insert: ["2", "new", "2"] },
          { insert: ["5", LONG, "5"] },
        ],
      });
      assert.equal(refused, 1);
      assert.deepEqual(await at.rows(), [
        ["1", "one", "1.00"],
        ["2", "new", "2.00"],
      ]);
      assert.deepEqual(await at.exceptions(), ["5"]);
      // The next conflict is one too many: none of those before counts.
      await tell({ insert: ["7", LONG, "1"] }, missing, missing, { delete: ["6", null, null] });
      await assert.rejects(tell(missing), isBeyondLimit);
    });
  });

  test("rows of a load that are tried again meet the foreign keys of a target in use, and a load's limit", async () => {
    const parent = "create table parent (id int primary key)";
    const refers = "alter table t add constraint kept foreign key (id) references parent (id)";
    await using at = await stage(`${TABLE}; ${parent}; ${refers}`);
    await at.schema.run("insert into parent values (1), (2), (4); insert into t values (2, 'ours', 0)");
    {
      const screens = { ...POLICIES, refusedLimit: { count: 0, action: "log" } } as const;
      await using loader = await at.openLoader({ screens });
      const lines = ["1", "2", "3", "4", "5", "6"].map((id) => `${id}\t${LONG}\t1`);
      await loader.write({ bytes: copyFrames(lines), rows: lines.length });
      await loader.finish();
    }
    const rows = (...ids: readonly number[]): readonly NewChange[] =>
      ids.map((id) => ({ insert: [String(id), "fits", "1"] }));
    const rowErrors = { ...POLICIES, refusedLimit: { count: 6, action: "suspend-table" } } as const;
    await at.withApplier({ ...SCREENED, rowErrors, isOfLoad: true }, async ({ applier, journal }) => {
      const exceptions = await page(at, journal);
      const tried = { exceptions, overwrites: false };
      assert.equal(await retry(at, applier, { ...tried, changes: rows(1, 2, 3, 4, 5, 6) }), 4);
      const came = (await at.rows()).map(([id, v]) => `${id} ${v}`);
      assert.deepEqual(came, ["1 fits", "2 ours", "4 fits"]);
      assert.deepEqual(await at.exceptions(), ["2", "3", "5", "6"]);
      const [recorded] = (await journal.recordedErrors(unaborted)).values();
      assert.deepEqual(recorded, { conflicts: 0, refused: 4, loaded: 4 });
      const again = { ...tried, exceptions: await page(at, journal, { limit: 1 }) };
      await assert.rejects(retry(at, applier, { ...again, changes: rows(3, 5, 6) }), isBeyondLimit);
    });
    assert.deepEqual(await at.exceptions(), ["2", "3", "5", "6"]);
  });
}

function isBeyondLimit(error: unknown): boolean {
  return error instanceof MigrationError && error.code === "apply.too_many_errors";
}
