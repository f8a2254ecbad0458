import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { EventReceiver } from "../../test/support/event-receiver.ts";
import { eventually } from "../../test/support/eventually.ts";
import { openSqliteStore } from "../store/sqlite.ts";
import { serviceEvent } from "../task/events.ts";
import type { EventSubscriptionRecord } from "../task/records.ts";
import { EVENTS_KEPT, type ServiceEvent, type Store } from "../task/store.ts";
import { TaskLedger } from "../task/task-ledger.ts";
import { type DeliveryTimes, EventDelivery } from "./delivery.ts";
import { WebhookTopic } from "./webhook.ts";

const times = { firstRetryMs: 5, longestRetryMs: 20, giveUpMs: 24 * 3600 * 1000 };

/** A store, a receiver, and deliveries that come and go. */
class Subject implements AsyncDisposable {
  readonly receiver: EventReceiver;
  readonly log: string[] = [];
  store: Store;
  #running: { readonly delivery: EventDelivery; readonly ledger: TaskLedger } | undefined;
  readonly #directory: string;

  private constructor(directory: string, receiver: EventReceiver) {
    this.#directory = directory;
    this.receiver = receiver;
    this.store = openSqliteStore(directory, {});
  }

  static async open(): Promise<Subject> {
    return new Subject(await mkdtemp(join(tmpdir(), "tideway-notify-")), await EventReceiver.start());
  }

  start(change: Partial<DeliveryTimes> = {}): EventDelivery {
    const { store } = this;
    const log = (_level: string, message: string, fields?: object): void => {
      this.log.push(JSON.stringify({ message, ...fields }));
    };
    const ledger = new TaskLedger(store, log);
    const topic = new WebhookTopic(new URL(this.receiver.address));
    const delivery = new EventDelivery({
      store,
      ledger,
      findTopic: () => topic,
      log,
      times: { ...times, ...change },
    });
    delivery.start();
    this.#running = { delivery, ledger };
    return delivery;
  }

  /** As a server ends. */
  async stop(): Promise<void> {
    await this.#running?.delivery.close();
    await this.#running?.ledger.close();
    this.#running = undefined;
    await this.store[Symbol.asyncDispose]();
    this.store = openSqliteStore(this.#directory, {});
  }

  async subscribe(change: Partial<EventSubscriptionRecord> = {}): Promise<void> {
    const record: EventSubscriptionRecord = {
      arn: "arn:s",
      identifier: "s",
      createdMs: 1,
      topicArn: "arn:topic",
      sourceIds: [],
      categories: [],
      enabled: true,
      status: "active",
      done: await this.store.lastEventNumber(),
      ...change,
    };
    await this.store.insert("event-subscription", record);
  }

  async subscription(): Promise<EventSubscriptionRecord> {
    return (await this.store.get("event-subscription", "arn:s"))!;
  }

  /** The sources of all that was taken, once so many were. */
  taken(count: number): Promise<string[]> {
    return eventually(`${count} events`, async () => {
      const sources = this.receiver.taken().map(({ source }) => source);
      return sources.length >= count && sources;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.store[Symbol.asyncDispose]();
    await this.receiver[Symbol.asyncDispose]();
    await rm(this.#directory, { recursive: true });
  }
}

function stopped(identifier: string, atMs = Date.now()): ServiceEvent {
  return serviceEvent("taskStopped", { identifier, atMs });
}

test("events are told in their order, those alone that a subscription is about", async () => {
  await using subject = await Subject.open();
  await subject.store.addEvents([stopped("before")]);
  await subject.subscribe({
    sourceType: "replication-task",
    sourceIds: ["A", "b"],
    categories: ["State Change"],
  });
  subject.start();
  await subject.store.addEvents([
    stopped("a"),
    stopped("c"),
    serviceEvent("instanceDeleted", { identifier: "a" }),
    serviceEvent("taskFailed", { identifier: "a" }),
    stopped("B"),
  ]);
  assert.deepEqual(await subject.taken(2), ["a", "B"]);
  await subject.store.addEvents([stopped("c"), stopped("a")]);
  assert.deepEqual(await subject.taken(3), ["a", "B", "a"]);
});

test("what a topic does not take is told again, also by the next process, and nothing overtakes it", async () => {
  await using subject = await Subject.open();
  await subject.subscribe();
  subject.receiver.status = 503;
  subject.start();
  await subject.store.addEvents([stopped("a"), stopped("b")]);
  await eventually("three tries", async () => subject.receiver.received.length >= 3);
  await subject.receiver.stop();
  await eventually("a refused connection", async () =>
    subject.log.some((line) => line.includes("ECONNREFUSED")),
  );
  await subject.stop();
  await subject.receiver.start();
  subject.receiver.status = 200;
  subject.start();
  assert.deepEqual(await subject.taken(2), ["a", "b"]);
  // Until then the last one would be told again.
  await eventually("both to be stored as told", async () => (await subject.subscription()).done === 2);
  await subject.stop();
  subject.start();
  await subject.store.addEvents([stopped("c")]);
  assert.deepEqual(await subject.taken(3), ["a", "b", "c"]);
});

test("a topic that refuses or is gone shows in the subscription until it takes an event again", async () => {
  await using subject = await Subject.open();
  await subject.subscribe();
  subject.start();
  subject.receiver.status = 403;
  await subject.store.addEvents([stopped("a")]);
  for (const [status, shown] of [
    [403, "no-permission"],
    [404, "topic-not-exist"],
    [500, "active"],
    [410, "topic-not-exist"],
    [200, "active"],
  ] as const) {
    subject.receiver.status = status;
    await eventually(shown, async () => (await subject.subscription()).status === shown);
  }
  assert.deepEqual(await subject.taken(1), ["a"]);
});

test("an event that a topic has not taken for a day is given up and told of, and the next one follows", async () => {
  await using subject = await Subject.open();
  await subject.subscribe();
  subject.receiver.status = 500;
  subject.start();
  await subject.store.addEvents([stopped("old", Date.now() - times.giveUpMs), stopped("new")]);
  await eventually("the end of the old one", async () =>
    subject.log.some((line) => line.includes("not delivered")),
  );
  subject.receiver.status = 200;
  assert.deepEqual(await subject.taken(1), ["new"]);
});

test("tries for a subscription that is disabled are let go, and what happens meanwhile is not told", async () => {
  await using subject = await Subject.open();
  await subject.subscribe();
  subject.receiver.status = 500;
  subject.start();
  await subject.store.addEvents([stopped("a")]);
  await eventually("a try", async () => subject.receiver.received.length > 0);
  await subject.store.update("event-subscription", "arn:s", (record) => ({ ...record, enabled: false }));
  subject.receiver.status = 200;
  await subject.store.addEvents([stopped("b")]);
  await subject.store.update("event-subscription", "arn:s", (record) => ({
    ...record,
    enabled: true,
    done: 2,
  }));
  await subject.store.addEvents([stopped("c")]);
  const told = await eventually("the last event", async () => {
    const sources = subject.receiver.taken().map(({ source }) => source);
    return sources.includes("c") && sources;
  });
  // A request that was under way when the subscription was disabled may have been taken.
  assert.deepEqual(
    told.filter((source) => source !== "a"),
    ["c"],
  );
});

test("what waits to be told again is told at once when its subscription was changed", async () => {
  await using subject = await Subject.open();
  await subject.subscribe();
  subject.receiver.status = 500;
  const delivery = subject.start({ firstRetryMs: 3_600_000, longestRetryMs: 3_600_000 });
  await subject.store.addEvents([stopped("a")]);
  await eventually("a failure", async () => subject.log.some((line) => line.includes("delivery failed")));
  subject.receiver.status = 200;
  delivery.retry("arn:s");
  assert.deepEqual(await subject.taken(1), ["a"]);
});

test("a subscription that is removed while its topic does not answer is let go", async () => {
  await using subject = await Subject.open();
  await subject.subscribe();
  await subject.subscribe({ arn: "arn:other", identifier: "other", topicArn: "arn:other" });
  subject.receiver.status = 500;
  subject.start();
  await subject.store.addEvents([stopped("a")]);
  await eventually("a try", async () => subject.receiver.received.length > 0);
  await subject.store.remove("event-subscription", "arn:s");
  const gone = subject.receiver.received.length;
  await eventually("tries of the other alone", async () => {
    const topics = subject.receiver.received.slice(gone).map(({ headers }) => headers["x-amz-sns-topic-arn"]);
    const ofRemoved = topics.filter((topic) => topic !== "arn:other");
    // One may have been under way.
    assert.ok(ofRemoved.length <= 1);
    return topics.length > 10;
  });
});

test("events that were forgotten before they could be told are counted in the log", async () => {
  await using subject = await Subject.open();
  await subject.subscribe();
  const later = Date.now() + EVENTS_KEPT.days * 24 * 3600 * 1000 + 60_000;
  await subject.store.addEvents([stopped("a"), stopped("b"), stopped("c", later)]);
  subject.start();
  assert.deepEqual(await subject.taken(1), ["c"]);
  const line = subject.log.find((one) => one.includes("forgotten"));
  assert.deepEqual(JSON.parse(line ?? "{}"), {
    message: "events were forgotten before they could be delivered",
    subscription: "s",
    events: 2,
  });
});
