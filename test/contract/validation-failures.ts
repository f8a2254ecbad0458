import assert from "node:assert/strict";
import { test } from "node:test";
import type { EndpointConfig, Engine } from "../../src/core/engine.ts";
import type { Journal, RecordedDifference } from "../../src/core/journal.ts";
import { tableKey } from "../../src/core/schema.ts";
import type { Target } from "../../src/core/target.ts";
import type { ValidationFailure, ValidationFailureKind } from "../../src/core/validation-failure.ts";
import { nasty, orders } from "../support/journal-samples.ts";
import { unaborted } from "./database-kind.ts";

export interface FailuresPlace {
  readonly engine: Engine;
  readonly endpoint: EndpointConfig;
  readonly target: Target;
  readonly taskPrefix: string;
  /** TABLE_NAME, KEY, FAILURE_TYPE and DETAILS of what a task has recorded. */
  failures(taskId: string): Promise<readonly (readonly (string | null)[])[]>;
}

/** What AWS DMS's columns hold at the most. */
const LONGEST = 7800;

/** How every journal must keep rows that differ. */
export function validationFailuresContract(make: () => Promise<FailuresPlace>): void {
  const withJournals = async (
    work: (first: Journal, second: Journal, rows: () => Promise<readonly string[][]>) => Promise<void>,
  ): Promise<void> => {
    const { target: opened, taskPrefix, failures } = await make();
    await using target = opened;
    const open = (task: string): Promise<Journal> =>
      target.openJournal(
        {
          taskId: `${taskPrefix}${task}`,
          controlSchema: undefined,
          optionalTables: ["awsdms_validation_failures_v1"],
        },
        unaborted,
      );
    await using first = await open("1");
    await using second = await open("2");
    const rows = async (): Promise<string[][]> => {
      const found = await failures(`${taskPrefix}1`);
      return found.map((row) => row.map(String)).toSorted((a, b) => (a.join() < b.join() ? -1 : 1));
    };
    await work(first, second, rows);
  };

  test("rows that differ are recorded by their keys, the last time they are told, and removed by them", () =>
    withJournals(async (journal, other, rows) => {
      await journal.addValidationFailures(
        [
          failure("RECORD_DIFF", ["1"], "old"),
          failure("MISSING_TARGET", ["a", 'it\'s \\ "x"\n\0']),
          failure("MISSING_TARGET", ["A", 'it\'s \\ "x"\n\0']),
        ],
        unaborted,
      );
      await journal.addValidationFailures(
        [failure("MISSING_SOURCE", ["1"], "new\0"), { ...failure("RECORD_DIFF", ["1"]), table: nasty }],
        unaborted,
      );
      await other.addValidationFailures([failure("RECORD_DIFF", ["1"])], unaborted);
      const lasting = [
        ["orders", '{"key": ["1"]}', "MISSING_SOURCE", "new\\u0000"],
        ["orders", '{"key": ["A", "it\'s \\\\ \\"x\\"\\n\\u0000"]}', "MISSING_TARGET", "d"],
        ["orders", '{"key": ["a", "it\'s \\\\ \\"x\\"\\n\\u0000"]}', "MISSING_TARGET", "d"],
        [nasty.name, '{"key": ["1"]}', "RECORD_DIFF", "d"],
      ];
      assert.deepEqual(await rows(), lasting);
      assert.deepEqual(await counts(journal), { [tableKey(orders)]: 3, [tableKey(nasty)]: 1 });

      await journal.removeValidationFailures(orders, [["1"], ["a", 'it\'s \\ "x"\n\0'], ["2"]], unaborted);
      assert.deepEqual(await rows(), [lasting[1], lasting[3]]);
      await journal.removeValidationFailures(orders, [], unaborted);
      assert.deepEqual(await rows(), [lasting[1], lasting[3]]);
      await journal.removeValidationFailures(orders, undefined, unaborted);
      assert.deepEqual(await rows(), [lasting[3]]);
      await journal.planTables(
        [{ id: orders, clears: nasty, created: true, snapshot: undefined, partitions: [] }],
        unaborted,
      );
      assert.deepEqual(await rows(), []);
      assert.deepEqual(await counts(other), { [tableKey(orders)]: 1 });
    }));

  test("rows without a key are recorded one by one, and a warning about a table is no row", () =>
    withJournals(async (journal, _other, rows) => {
      const keyless = failure("MISSING_TARGET", undefined);
      await journal.addValidationFailures([keyless, keyless], unaborted);
      await journal.addValidationFailures([failure("TABLE_WARNING", undefined, "Why.")], unaborted);
      assert.deepEqual(await rows(), [
        ["orders", '{"key": []}', "MISSING_TARGET", "d"],
        ["orders", '{"key": []}', "MISSING_TARGET", "d"],
        ["orders", '{"key": []}', "TABLE_WARNING", "Why."],
      ]);
      assert.deepEqual(await counts(journal), { [tableKey(orders)]: 2 });
      await journal.removeValidationFailures(orders, undefined, unaborted);
      assert.deepEqual(await rows(), []);
    }));

  test("what is longer than the columns is told to be, and keys that begin alike stay apart", () =>
    withJournals(async (journal, other, rows) => {
      const long = (end: string): string[] => ["\u0001é😀".repeat(9000) + end, "x".repeat(5000)];
      for (const end of ["a", "b", "a"]) {
        await journal.addValidationFailures([failure("RECORD_DIFF", long(end), "é".repeat(9000))], unaborted);
      }
      const found = await rows();
      assert.equal(found.length, 2);
      for (const [, key, , details] of found) {
        assert(key!.length <= LONGEST && details!.length <= LONGEST, `${key!.length} ${details!.length}`);
        assert.match(key!, /^\{"key": \["\\u0001é😀.*…", "x+…"\], "sha256": "[0-9a-f]{64}"\}$/);
        assert.match(details!, /^The key is too long .*é… \(cut: \d+ characters\)$/);
      }
      await journal.removeValidationFailures(orders, [long("a")], unaborted);
      assert.equal((await rows()).length, 1);
      await other.addValidationFailures([failure("RECORD_DIFF", long("b"))], unaborted);
      await journal.forget(unaborted);
      assert.deepEqual(await rows(), []);
      assert.deepEqual(await counts(other), { [tableKey(orders)]: 1 });
    }));

  test("what is recorded is read page by page with whole keys, and told by its kinds", () =>
    withJournals(async (journal, other) => {
      const awkward = ["a", 'it\'s \\ "x"]}\n\0é😀'];
      const keys = [["1"], ["2"], ["-3"], awkward, ["A", ""]];
      await journal.addValidationFailures(
        [
          ...keys.map((key, i) => failure(i < 2 ? "MISSING_SOURCE" : "RECORD_DIFF", key)),
          failure("RECORD_DIFF", ["x".repeat(9000)]),
          ...Array.from({ length: 3 }, () => failure("MISSING_TARGET", undefined)),
          failure("TABLE_WARNING", undefined, "Why."),
          { ...failure("MISSING_TARGET", ["9"]), table: nasty },
        ],
        unaborted,
      );
      await other.addValidationFailures([failure("RECORD_DIFF", ["other"])], unaborted);
      const found: RecordedDifference[] = [];
      for (let after: string | undefined; ; after = found.at(-1)!.id) {
        const page = await journal.differences({ table: orders, after, limit: 2 }, unaborted);
        found.push(...page);
        if (page.length < 2) break;
      }
      const texts = (list: readonly (readonly string[] | undefined)[]): string[] =>
        list.map((key) => JSON.stringify(key ?? null)).sort();
      assert.deepEqual(
        texts(found.map(({ key }) => key)),
        texts([...keys, undefined, undefined]),
        "those that name no row have no key",
      );
      assert.deepEqual(found.map(({ records }) => records).sort(), [1, 1, 1, 1, 1, 1, 3]);
      const kinds = await journal.differenceKinds(unaborted);
      assert.deepEqual(
        new Map(kinds.map(({ table, unnamed, kinds: of }) => [tableKey(table), [unnamed, of]])),
        new Map([
          [
            tableKey(orders),
            [
              4,
              new Map([
                ["MISSING_SOURCE", 2],
                ["RECORD_DIFF", 4],
                ["MISSING_TARGET", 3],
              ]),
            ],
          ],
          [tableKey(nasty), [0, new Map([["MISSING_TARGET", 1]])]],
        ]),
      );
    }));

  test("what is recorded goes with the task's other records, whether or not it still asks for the table", async () => {
    const { engine, endpoint, target: opened, taskPrefix, failures } = await make();
    await using target = opened;
    const request = { taskId: `${taskPrefix}1`, controlSchema: undefined };
    const record = async (): Promise<void> => {
      const optionalTables = ["awsdms_validation_failures_v1"] as const;
      await using journal = await target.openJournal({ ...request, optionalTables }, unaborted);
      await journal.noteStart("1", unaborted);
      await journal.addValidationFailures([failure("RECORD_DIFF", ["1"])], unaborted);
    };
    await record();
    {
      await using journal = await target.openJournal(request, unaborted);
      await journal.forget(unaborted);
    }
    assert.deepEqual(await failures(request.taskId), []);
    await record();
    const left = await engine.findLeftovers(endpoint, unaborted);
    const own = left.filter(({ taskId }) => taskId === request.taskId);
    assert.deepEqual(
      own.map(({ kind }) => kind),
      ["task records"],
    );
    await engine.removeLeftover(endpoint, own[0]!, unaborted);
    assert.deepEqual(await failures(request.taskId), []);
  });

  test("many rows that differ are recorded and removed in parts", () =>
    withJournals(async (journal) => {
      const keys = Array.from({ length: 1201 }, (_, i) => [String(i)]);
      await journal.addValidationFailures(
        keys.map((key) => failure("RECORD_DIFF", key, "x".repeat(500))),
        unaborted,
      );
      assert.deepEqual(await counts(journal), { [tableKey(orders)]: 1201 });
      await journal.removeValidationFailures(orders, keys.slice(1), unaborted);
      assert.deepEqual(await counts(journal), { [tableKey(orders)]: 1 });
    }));
}

function failure(
  kind: ValidationFailureKind,
  key: readonly string[] | undefined,
  details = "d",
): ValidationFailure {
  return { table: orders, kind, key, details };
}

async function counts(journal: Journal): Promise<Record<string, number>> {
  return Object.fromEntries(await journal.countValidationFailures(unaborted));
}
