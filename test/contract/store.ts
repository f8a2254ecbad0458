import assert from "node:assert/strict";
import { test } from "node:test";
import type { SubnetGroupRecord, TaskRecord } from "../../src/task/records.ts";
import { EVENTS_KEPT, IdentifierTaken, type Store } from "../../src/task/store.ts";
import type { TableProgress } from "../../src/task/task.ts";
import { tableProgress } from "../support/progress.ts";

export interface StoreUnderTest extends AsyncDisposable {
  readonly store: Store;
  /** Closes the store and opens what it wrote again. */
  reopen(): Promise<Store>;
}

/** What every implementation of Store must hold to. */
export function storeContract(name: string, open: () => Promise<StoreUnderTest>): void {
  test(`${name}: a record comes back as it was stored, after reopening too`, async () => {
    await using subject = await open();
    const record = group("a", { description: "Ümläut 😀 'quoted' \\ \n" });
    assert.equal(await subject.store.insert("subnet-group", record), true);
    assert.deepEqual(await subject.store.get("subnet-group", record.arn), record);
    const again = await subject.reopen();
    assert.deepEqual(await again.get("subnet-group", record.arn), record);
  });

  test(`${name}: an identifier is taken once, whatever its case, but in each kind for itself`, async () => {
    await using subject = await open();
    const { store } = subject;
    assert.equal(await store.insert("subnet-group", group("a")), true);
    assert.equal(await store.insert("subnet-group", { ...group("b"), identifier: "A" }), false);
    assert.equal(await store.insert("subnet-group", { ...group("c"), arn: "arn:a" }), false);
    assert.equal(await store.insert("subnet-group", { ...group("c"), arn: "arn:A" }), false);
    assert.equal((await store.list("subnet-group")).length, 1);
    assert.deepEqual(await store.list("endpoint"), []);
    assert.equal(await store.get("endpoint", "arn:a"), undefined);
  });

  test(`${name}: serverless tasks have names of their own`, async () => {
    await using subject = await open();
    const { store } = subject;
    const task = { ...group("a"), status: "ready" } as unknown as TaskRecord;
    const serverless = { ...task, arn: "arn:b", serverless: {} } as TaskRecord;
    assert.equal(await store.insert("task", task), true);
    assert.equal(await store.insert("task", serverless), true);
    assert.equal(await store.insert("task", { ...serverless, arn: "arn:c", identifier: "A" }), false);
    await store.update("task", "arn:a", (record) => ({ ...record, identifier: "c" }));
    const rename = store.update("task", "arn:b", (record) => ({ ...record, identifier: "C" }));
    assert.equal((await rename)?.identifier, "C");
  });

  test(`${name}: records are listed oldest first, and changing one keeps its place`, async () => {
    await using subject = await open();
    const { store } = subject;
    for (const id of ["c", "a", "b"]) await store.insert("subnet-group", group(id));
    await store.update("subnet-group", "arn:c", (record) => ({ ...record, description: "changed" }));
    const listed = await store.list("subnet-group");
    assert.deepEqual(
      listed.map((record) => [record.identifier, record.description]),
      [
        ["c", "changed"],
        ["a", ""],
        ["b", ""],
      ],
    );
  });

  test(`${name}: what belongs to a record is stored with it, and not when the record is refused`, async () => {
    await using subject = await open();
    const { store } = subject;
    const tags = [{ key: "k", value: "v" }];
    const companions = { tags, secrets: { password: "hidden" }, event: event(1) };
    assert.equal(await store.insert("subnet-group", group("a"), companions), true);
    const taken = { ...group("b"), identifier: "A" };
    assert.equal(await store.insert("subnet-group", taken, companions), false);
    const refuse = store.update(
      "subnet-group",
      "arn:a",
      () => {
        throw new RangeError("no");
      },
      () => companions,
    );
    await assert.rejects(refuse, RangeError);
    await store.update(
      "subnet-group",
      "arn:a",
      (record) => ({ ...record, description: "new" }),
      ({ description }) => ({ secrets: { password: description }, event: event(2) }),
    );
    const again = await subject.reopen();
    assert.deepEqual(await again.tags("arn:a"), tags);
    assert.deepEqual(await again.tags("arn:b"), []);
    assert.equal(await again.secret("arn:a", "password"), "new");
    assert.equal(await again.secret("arn:b", "password"), undefined);
    await again.remove("subnet-group", "arn:a", { event: event(3) });
    assert.equal(await again.secret("arn:a", "password"), undefined);
    assert.deepEqual(await again.events({ sinceMs: 0, untilMs: 9 }), [event(1), event(2), event(3)]);
  });

  test(`${name}: what a change makes untrue goes with it, and stays when the change is refused`, async () => {
    await using subject = await open();
    const { store } = subject;
    for (const id of ["a", "b", "c"]) await store.insert("subnet-group", group(id));
    const removes = ["arn:b", "arn:gone"].map((arn) => ({ kind: "subnet-group", arn }) as const);
    const rename = (identifier: string): Promise<unknown> =>
      store.update(
        "subnet-group",
        "arn:a",
        (record) => ({ ...record, identifier }),
        () => ({ removes }),
      );
    await assert.rejects(rename("c"), IdentifierTaken);
    assert.deepEqual(await store.get("subnet-group", "arn:b"), group("b"));
    await rename("d");
    assert.equal(await store.get("subnet-group", "arn:b"), undefined);
    assert.equal(
      await store.remove("subnet-group", "arn:a", { removes: [{ kind: "subnet-group", arn: "arn:c" }] }),
      true,
    );
    assert.deepEqual(await (await subject.reopen()).list("subnet-group"), []);
  });

  test(`${name}: a change that throws leaves the record as it was`, async () => {
    await using subject = await open();
    const { store } = subject;
    await store.insert("subnet-group", group("a"));
    const refuse = store.update("subnet-group", "arn:a", () => {
      throw new RangeError("no");
    });
    await assert.rejects(refuse, RangeError);
    assert.deepEqual(await store.get("subnet-group", "arn:a"), group("a"));
    assert.equal(await store.update("subnet-group", "arn:none", (record) => record), undefined);
  });

  test(`${name}: changes made at the same time are all kept`, async () => {
    await using subject = await open();
    const { store } = subject;
    await store.insert("subnet-group", group("a"));
    const add = (id: number): Promise<unknown> =>
      store.update("subnet-group", "arn:a", (record) => {
        return { ...record, subnetIds: [...record.subnetIds, `subnet-${id}`] };
      });
    await Promise.all(Array.from({ length: 20 }, (_, id) => add(id)));
    assert.equal((await store.get("subnet-group", "arn:a"))?.subnetIds.length, 20);
  });

  test(`${name}: a record cannot be renamed to a name that another one has`, async () => {
    await using subject = await open();
    const { store } = subject;
    await store.insert("subnet-group", group("a"));
    await store.insert("subnet-group", group("b"));
    const rename = (identifier: string): Promise<unknown> =>
      store.update("subnet-group", "arn:b", (record) => ({ ...record, identifier }));
    await assert.rejects(rename("A"), IdentifierTaken);
    await rename("B");
    await rename("c");
    assert.equal(await store.insert("subnet-group", { ...group("d"), identifier: "b" }), true);
  });

  test(`${name}: removing a record takes its tags, secrets and statistics with it`, async () => {
    await using subject = await open();
    const { store } = subject;
    await store.insert("subnet-group", group("a"));
    await store.setTags("arn:a", [{ key: "k", value: "v" }]);
    await store.setSecret("arn:a", "password", "hidden");
    await store.putTableStatistics("arn:a", [table("s", "t", 1)]);
    assert.equal(await store.remove("subnet-group", "arn:a"), true);
    assert.equal(await store.remove("subnet-group", "arn:a"), false);
    assert.deepEqual(await store.tags("arn:a"), []);
    assert.equal(await store.secret("arn:a", "password"), undefined);
    assert.deepEqual(await store.tableStatistics("arn:a"), []);
  });

  test(`${name}: a tag that is set again keeps its place and changes its value`, async () => {
    await using subject = await open();
    const { store } = subject;
    await store.setTags("arn:a", [
      { key: "x", value: "1" },
      { key: "y", value: "" },
    ]);
    await store.setTags("arn:a", [{ key: "x", value: "2" }]);
    assert.deepEqual(await store.tags("arn:a"), [
      { key: "x", value: "2" },
      { key: "y", value: "" },
    ]);
    await store.removeTags("arn:a", ["x", "unknown"]);
    assert.deepEqual(await store.tags("arn:a"), [{ key: "y", value: "" }]);
  });

  test(`${name}: secrets come back after reopening, each for its owner and name`, async () => {
    await using subject = await open();
    const { store } = subject;
    await store.setSecret("arn:a", "password", "pässwörd\n'\"");
    await store.setSecret("arn:b", "password", "");
    const again = await subject.reopen();
    assert.equal(await again.secret("arn:a", "password"), "pässwörd\n'\"");
    assert.equal(await again.secret("arn:b", "password"), "");
    assert.equal(await again.secret("arn:a", "other"), undefined);
    await again.setSecret("arn:a", "password", undefined);
    assert.equal(await again.secret("arn:a", "password"), undefined);
  });

  test(`${name}: events are found by time, both ends included, and listed by it`, async () => {
    await using subject = await open();
    const { store } = subject;
    await store.addEvents([30, 10, 20].map(event));
    const times = async (sinceMs: number, untilMs: number): Promise<number[]> =>
      (await store.events({ sinceMs, untilMs })).map((one) => one.atMs);
    assert.deepEqual(await times(10, 20), [10, 20]);
    assert.deepEqual((await store.events({ sinceMs: 30, untilMs: 30 }))[0], event(30));
  });

  test(`${name}: events have numbers without a gap that are never given again, and each adding is told`, async () => {
    await using subject = await open();
    const { store } = subject;
    let told = 0;
    store.onEvents(() => told++);
    assert.equal(await store.lastEventNumber(), 0);
    await store.addEvents([event(30), event(10)]);
    await store.insert("subnet-group", group("a"), { event: event(20) });
    await store.insert("subnet-group", group("b"));
    await store.insert("subnet-group", group("a"), { event: event(40) });
    assert.equal(told, 2);
    const numbered = await store.eventsAfter(1, 5);
    assert.deepEqual(numbered, [
      { number: 2, event: event(10) },
      { number: 3, event: event(20) },
    ]);
    assert.equal((await store.eventsAfter(0, 2)).length, 2);
    const again = await subject.reopen();
    assert.equal(await again.lastEventNumber(), 3);
    await again.addEvents([event(50)]);
    assert.deepEqual(await again.eventsAfter(3, 5), [{ number: 4, event: event(50) }]);
  });

  test(`${name}: an event that is added, beside a record too, takes the place of those that are too old or too many`, async () => {
    await using subject = await open();
    const { store } = subject;
    const { days, most } = EVENTS_KEPT;
    const spanMs = days * 24 * 3600 * 1000;
    const kept = async (): Promise<number[]> =>
      (await store.events({ sinceMs: 0, untilMs: Number.MAX_SAFE_INTEGER })).map((one) => one.atMs);
    await store.addEvents([1, 2, 3].map(event));
    await store.insert("subnet-group", group("a"), { event: event(spanMs + 2) });
    assert.deepEqual(await kept(), [2, 3, spanMs + 2]);
    await store.addEvents(Array.from({ length: most }, (_, i) => event(spanMs + 2 + i)));
    const all = await kept();
    assert.deepEqual([all.length, all[0], all.at(-1)], [most, spanMs + 2, spanMs + 1 + most]);
  });

  test(`${name}: table statistics replace those of the same table and keep the others`, async () => {
    await using subject = await open();
    const { store } = subject;
    await store.putTableStatistics("task", [table("s", 'T"1', 1), table("s", "t2", 2)]);
    await store.putTableStatistics("task", [table("s", 'T"1', 5)]);
    await store.putTableStatistics("other", [table("s", "t2", 9)]);
    const rows = (await store.tableStatistics("task")).map((one) => [one.id.name, one.fullLoadRows]);
    assert.deepEqual(rows, [
      ['T"1', 5],
      ["t2", 2],
    ]);
    await store.insert("subnet-group", group("statistics", { arn: "task" }), { clearsTableStatistics: true });
    assert.deepEqual(await store.tableStatistics("task"), []);
    assert.equal((await store.tableStatistics("other")).length, 1);
  });
}

function group(id: string, change: Partial<SubnetGroupRecord> = {}): SubnetGroupRecord {
  return { arn: `arn:${id}`, identifier: id, createdMs: 1, description: "", subnetIds: [], ...change };
}

function event(atMs: number) {
  return {
    atMs,
    sourceType: "replication-task",
    sourceIdentifier: "t",
    categories: ["creation"],
    message: "m",
  } as const;
}

function table(schema: string, name: string, fullLoadRows: number): TableProgress {
  const members = { id: { schema, name }, state: "Full load", estimatedRows: -1, fullLoadRows } as const;
  return tableProgress(name, { ...members, lastUpdateMs: 1 });
}
