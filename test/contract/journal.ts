import assert from "node:assert/strict";
import { test } from "node:test";
import type { Journal } from "../../src/core/journal.ts";
import type { Position } from "../../src/core/position.ts";
import type { RightsId } from "../../src/core/rights.ts";
import type { Target } from "../../src/core/target.ts";
import { nasty, orders, partitions } from "../support/journal-samples.ts";
import { unaborted } from "./database-kind.ts";

export interface JournalPlace {
  readonly target: Target;
  /** Two positions of a source's log, the earlier first. */
  readonly positions: readonly Position[];
  /** What the names of the test's tasks begin with: the control tables may be common to several tests. */
  readonly taskPrefix: string;
  readonly controlSchema: string;
}

/** What every journal must hold to. */
export function journalContract(make: () => Promise<JournalPlace>): void {
  const withJournal = async (
    work: (journal: Journal, place: JournalPlace, open: (task: string) => Promise<Journal>) => Promise<void>,
  ): Promise<void> => {
    const place = await make();
    await using target = place.target;
    const open = (task: string): Promise<Journal> =>
      target.openJournal({ taskId: `${place.taskPrefix}${task}`, controlSchema: undefined }, unaborted);
    await using journal = await open("1");
    await work(journal, place, open);
  };

  test("the journal gives planned tables and partitions back as they were given", () =>
    withJournal(async (journal, { positions: [position, upTo] }) => {
      const planned = { created: true, snapshot: position, upTo, partitions };
      await journal.planTables(
        [
          { id: orders, ...planned },
          { id: nasty, ...planned, created: false, keepsRows: true },
        ],
        unaborted,
      );
      const found = new Map((await journal.tables(unaborted)).map((table) => [table.id.name, table]));
      assert.equal(found.size, 2);
      for (const id of [orders, nasty]) {
        const table = found.get(id.name)!;
        assert.deepEqual(table.id, id);
        assert.equal(table.state, "planned");
        assert.deepEqual([table.created, table.keepsRows], [id === orders, id === nasty]);
        assert.deepEqual(
          table.partitions,
          partitions.map((partition) => ({ partition, snapshot: position, upTo, done: false, rows: 0 })),
        );
      }
      await journal.planTables([{ id: orders, ...planned, partitions: partitions.slice(0, 1) }], unaborted);
      const again = (await journal.tables(unaborted)).find(({ id }) => id.name === "orders");
      assert.equal(again?.partitions.length, 1);
    }));

  test("the journal knows which tables have been compared, until they are planned anew or set aside", () =>
    withJournal(async (journal) => {
      const compared = async (): Promise<readonly string[]> =>
        (await journal.tables(unaborted)).flatMap(({ id, isCompared }) => (isCompared ? [id.name] : []));
      const planned = [orders, nasty].map((id) => ({ id, created: true, snapshot: undefined, partitions }));
      await journal.planTables(planned, unaborted);
      await journal.setCompared([orders, nasty], true, unaborted);
      assert.deepEqual(new Set(await compared()), new Set([orders.name, nasty.name]));
      await journal.setTableStates([orders], { state: "ready" }, unaborted);
      await journal.setTableStates([nasty], { state: "suspended", reason: "?" }, unaborted);
      assert.deepEqual(await compared(), [orders.name]);
      await journal.planTables(planned, unaborted);
      assert.deepEqual(await compared(), []);
      await journal.setCompared([nasty], true, unaborted);
      await journal.setCompared([nasty], false, unaborted);
      assert.deepEqual(await compared(), []);
    }));

  test("the journal keeps states with their reason, and gives unfinished partitions a new snapshot", () =>
    withJournal(async (journal, { positions: [earlier, later] }) => {
      const planned = { created: true, snapshot: earlier, partitions };
      await journal.planTables(
        [
          { id: orders, ...planned, upTo: earlier },
          { id: nasty, ...planned },
        ],
        unaborted,
      );
      await journal.setTableStates(
        [nasty],
        { state: "suspended", reason: "load.rejected: it's \\ 😀" },
        unaborted,
      );
      await journal.setTableStates([orders], { state: "loaded" }, unaborted);
      await journal.moveSnapshot([orders], { position: earlier, upTo: later }, unaborted);
      const bounded = (await journal.tables(unaborted)).find(({ id }) => id.name === "orders");
      assert.deepEqual(new Set(bounded?.partitions.map(({ upTo }) => upTo?.text)), new Set([later!.text]));
      await journal.moveSnapshot([orders], { position: later }, unaborted);
      const tables = await journal.tables(unaborted);
      const of = (name: string) => tables.find(({ id }) => id.name === name)!;
      assert.deepEqual([of("orders").state, of(nasty.name).state], ["loaded", "suspended"]);
      assert.equal(of(nasty.name).reason, "load.rejected: it's \\ 😀");
      assert.deepEqual(
        new Set(of("orders").partitions.map(({ snapshot }) => snapshot?.text)),
        new Set([later!.text]),
      );
      assert.deepEqual(
        new Set(of(nasty.name).partitions.map(({ snapshot }) => snapshot?.text)),
        new Set([earlier!.text]),
      );
      assert(tables.every(({ partitions: all }) => all.every(({ upTo }) => upTo === undefined)));
    }));

  test("the journal keeps the applied position and the log's name", () =>
    withJournal(async (journal, { positions: [earlier, later] }) => {
      assert.equal(await journal.appliedPosition(unaborted), undefined);
      assert.equal(await journal.sourceLog(unaborted), undefined);
      for (const position of [earlier!, later!]) {
        await journal.setAppliedPosition(position, unaborted);
        assert.deepEqual(await journal.appliedPosition(unaborted), position);
      }
      for (const log of ["7714083397131343839/1", "other"]) {
        await journal.setSourceLog(log, unaborted);
        assert.equal(await journal.sourceLog(unaborted), log);
      }
      assert.deepEqual(await journal.tables(unaborted), []);
    }));

  test("that the journal keeps nothing of rights is something else than not to know", () =>
    withJournal(async (journal) => {
      assert.equal(await journal.keptObjects(unaborted), undefined);
      await journal.keepObjects([], unaborted);
      assert.deepEqual(await journal.keptObjects(unaborted), []);
      const kept: readonly RightsId[] = [
        { kind: "table", id: orders },
        { kind: "table", id: nasty },
      ];
      await journal.keepObjects(kept, unaborted);
      assert.deepEqual(sorted(await journal.keptObjects(unaborted)), sorted(kept));
      await journal.releaseObjects(kept.slice(0, 1), unaborted);
      assert.deepEqual(await journal.keptObjects(unaborted), kept.slice(1));
    }));

  test("a start that the journal has noted is found without one", () =>
    withJournal(async (journal, { target, taskPrefix }) => {
      const request = { taskId: `${taskPrefix}1`, controlSchema: undefined };
      assert.equal(await target.notedStart(request, unaborted), undefined);
      await journal.noteStart("1700000000000", unaborted);
      assert.equal(await target.notedStart(request, unaborted), "1700000000000");
    }));

  test("whoever watches a journal sees the task's tables, its log, and how far it has come by now", () =>
    withJournal(async (journal, { target, taskPrefix, positions: [earlier, later] }) => {
      const request = { taskId: `${taskPrefix}1`, controlSchema: undefined };
      const untouched = await target.watchJournal(request, unaborted);
      assert.deepEqual([untouched.tables, untouched.log], [[], undefined]);
      assert.equal(await untouched.applied(unaborted), undefined);
      const planned = { created: true, snapshot: earlier, partitions };
      const tables = [orders, nasty];
      await journal.planTables(
        tables.map((id) => ({ id, ...planned })),
        unaborted,
      );
      await journal.setSourceLog("7714083397131343839/1", unaborted);
      const watched = await target.watchJournal(request, unaborted);
      const names = watched.tables.map(({ name }) => name).sort();
      assert.deepEqual(names, tables.map(({ name }) => name).sort());
      assert.equal(watched.log, "7714083397131343839/1");
      for (const position of [earlier!, later!]) {
        await journal.setAppliedPosition(position, unaborted);
        assert.deepEqual(await watched.applied(unaborted), position);
      }
    }));

  test("tasks do not see each other's journal, and forgetting one leaves the other", () =>
    withJournal(async (first, { positions: [earlier, later] }, open) => {
      await using second = await open("2");
      for (const journal of [first, second]) {
        await journal.planTables([{ id: orders, created: true, snapshot: earlier, partitions }], unaborted);
        await journal.setAppliedPosition(journal === first ? earlier! : later!, unaborted);
        await journal.keepObjects([{ kind: "table", id: orders }], unaborted);
      }
      await first.forget(unaborted);
      assert.deepEqual(await first.tables(unaborted), []);
      assert.equal(await first.appliedPosition(unaborted), undefined);
      assert.equal(await first.keptObjects(unaborted), undefined);
      assert.equal((await second.tables(unaborted))[0]!.partitions.length, partitions.length);
      assert.deepEqual(await second.appliedPosition(unaborted), later);
      assert.equal((await second.keptObjects(unaborted))?.length, 1);
    }));

  test("tasks that start at once make the control tables together", async () => {
    const place = await make();
    await using target = place.target;
    const journals = await Promise.all(
      Array.from({ length: 6 }, (_, at) =>
        target.openJournal(
          { taskId: `${place.taskPrefix}${at}`, controlSchema: place.controlSchema },
          unaborted,
        ),
      ),
    );
    for (const journal of journals) {
      assert.deepEqual(await journal.tables(unaborted), []);
      await journal[Symbol.asyncDispose]();
    }
  });
}

function sorted(ids: readonly RightsId[] | undefined): readonly string[] {
  return (ids ?? []).map(({ kind, id }) => JSON.stringify([kind, id.schema, id.name])).toSorted();
}
