import { Backoff, pause } from "../base/backoff.ts";
import { failpoint } from "../base/failpoint.ts";
import type { Log } from "../task/log.ts";
import type { EventSubscriptionRecord } from "../task/records.ts";
import type { NumberedEvent, Store } from "../task/store.ts";
import type { TaskLedger } from "../task/task-ledger.ts";
import { concerns, notificationOf } from "./notification.ts";
import { DeliveryFailure } from "./post.ts";
import type { FindTopic } from "./topics.ts";

export interface DeliveryTimes {
  readonly firstRetryMs: number;
  readonly longestRetryMs: number;
  /** An event of this age is given up when it cannot be delivered. */
  readonly giveUpMs: number;
}

const TIMES: DeliveryTimes = { firstRetryMs: 1000, longestRetryMs: 300_000, giveUpMs: 24 * 3600 * 1000 };

/** So many events are read from the store at once. */
const BATCH = 100;

export interface DeliveryOptions {
  readonly store: Store;
  /** Writes what is done, once the disk has space for it. */
  readonly ledger: Pick<TaskLedger, "inOrder">;
  readonly findTopic: FindTopic;
  readonly log: Log;
  readonly times?: DeliveryTimes;
}

type Status = EventSubscriptionRecord["status"];

/** How far a subscription is, and how its topic takes it, which the store does not know yet. */
interface Standing {
  readonly done: number;
  readonly status: Status;
}

/**
 * Tells topics of the events that are in the store: each subscription's in their order, at least once, each again with
 * longer pauses until it is taken or a day old. How far a subscription has come is stored behind each
 * delivery, so a restart goes on there, and may tell the last one twice. Nobody waits for it.
 */
export class EventDelivery {
  readonly #store: Store;
  readonly #ledger: DeliveryOptions["ledger"];
  readonly #findTopic: FindTopic;
  readonly #log: Log;
  readonly #times: DeliveryTimes;
  readonly #closing = new AbortController();
  /** By the ARN of the subscription that is being seen to. */
  readonly #work = new Map<string, Promise<void>>();
  /** Subscriptions for which something came while they were being seen to. */
  readonly #again = new Set<string>();
  readonly #standings = new Map<string, Standing>();
  /** Of those at work, the subscriptions that were changed since they were last read for a try. */
  readonly #changed = new Set<string>();
  /** Ends the pause of a subscription whose topic did not take an event. */
  readonly #pauses = new Map<string, AbortController>();

  constructor({ store, ledger, findTopic, log, times = TIMES }: DeliveryOptions) {
    this.#store = store;
    this.#ledger = ledger;
    this.#findTopic = findTopic;
    this.#log = log;
    this.#times = times;
  }

  /** Goes on where an earlier process has ended, and with every event from now on. */
  start(): void {
    this.#store.onEvents(() => this.#look());
    this.#look();
  }

  /** A subscription was changed: what its topic did not take is tried now. */
  retry(arn: string): void {
    if (this.#work.has(arn)) this.#changed.add(arn);
    this.#pauses.get(arn)?.abort();
  }

  /** Gives up what is being sent: it is sent again after the next start. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#work.values());
  }

  /** Sees to it that every subscription is at work. */
  #look(): void {
    if (this.#closing.signal.aborted) return;
    this.#store.list("event-subscription").then(
      (subscriptions) => {
        for (const { arn } of subscriptions) this.#begin(arn);
      },
      (error: unknown) => this.#log("error", "event subscriptions cannot be read", { error: String(error) }),
    );
  }

  #begin(arn: string): void {
    if (this.#closing.signal.aborted) return;
    if (this.#work.has(arn)) {
      this.#again.add(arn);
      return;
    }
    const work = this.#deliverAll(arn)
      .catch((error: unknown) => {
        if (this.#closing.signal.aborted) return;
        this.#log("error", "event delivery has ended", { subscription: arn, error: String(error) });
      })
      .then(() => {
        this.#work.delete(arn);
        this.#changed.delete(arn);
        if (this.#again.delete(arn)) this.#begin(arn);
      });
    this.#work.set(arn, work);
  }

  /** Until nothing is left to tell. The subscription may be changed, or go, meanwhile. */
  async #deliverAll(arn: string): Promise<void> {
    for (;;) {
      const subscription = await this.#subscription(arn);
      if (subscription === undefined) return;
      const events = await this.#store.eventsAfter(subscription.done, BATCH);
      const [first] = events;
      if (first === undefined) return;
      this.#tellGap(subscription, first);
      for (const event of events) await this.#settle(arn, event);
      this.#write(arn);
    }
  }

  /** As this process knows it; undefined when it is gone or not enabled. */
  async #subscription(arn: string): Promise<EventSubscriptionRecord | undefined> {
    const record = await this.#store.get("event-subscription", arn);
    if (record?.enabled !== true) return undefined;
    return { ...record, done: Math.max(record.done, this.#standings.get(arn)?.done ?? 0) };
  }

  #tellGap({ identifier, done }: EventSubscriptionRecord, first: NumberedEvent): void {
    const events = first.number - done - 1;
    if (events === 0) return;
    this.#log("error", "events were forgotten before they could be delivered", {
      ...{ subscription: identifier, events },
    });
  }

  /** Delivers an event to a subscription that it concerns. Returns when it is over, in one way or another. */
  async #settle(arn: string, event: NumberedEvent): Promise<void> {
    const { firstRetryMs, longestRetryMs, giveUpMs } = this.#times;
    const pauses = { firstDelayMs: firstRetryMs, doubling: true, longestDelayMs: longestRetryMs };
    const backoff = new Backoff({ retries: undefined, ...pauses });
    for (;;) {
      this.#changed.delete(arn);
      const subscription = await this.#subscription(arn);
      if (subscription === undefined || subscription.done >= event.number) return;
      const { identifier, status, done } = subscription;
      if (!concerns(subscription, event.event)) {
        this.#standings.set(arn, { done: event.number, status });
        return;
      }
      const failure = await this.#send(subscription, event);
      if (failure === undefined) {
        failpoint("service.event-delivered");
        this.#standings.set(arn, { done: event.number, status: "active" });
        return this.#write(arn);
      }
      const isOver = Date.now() - event.event.atMs >= giveUpMs;
      this.#standings.set(arn, { done: isOver ? event.number : done, status: statusAfter(failure) });
      this.#write(arn);
      const told = { subscription: identifier, event: event.number, reason: failure.message };
      if (isOver) return this.#log("error", "event not delivered", told);
      this.#log("warn", "event delivery failed", { ...told, tries: backoff.failures + 1 });
      await this.#rest(arn, backoff.failed() ?? longestRetryMs);
    }
  }

  /** Waits for the next try, not longer than until retry(). */
  async #rest(arn: string, ms: number): Promise<void> {
    if (this.#changed.has(arn)) return;
    const ended = new AbortController();
    this.#pauses.set(arn, ended);
    try {
      await pause(ms, AbortSignal.any([this.#closing.signal, ended.signal]));
    } catch (error) {
      if (this.#closing.signal.aborted) throw error;
    } finally {
      this.#pauses.delete(arn);
    }
  }

  async #send(
    subscription: EventSubscriptionRecord,
    event: NumberedEvent,
  ): Promise<DeliveryFailure | undefined> {
    const topic = this.#findTopic(subscription.topicArn);
    if (topic === undefined) return new DeliveryFailure("this server has no way to the topic", NOT_FOUND);
    try {
      await topic.publish(notificationOf(subscription, event), this.#closing.signal);
      return undefined;
    } catch (error) {
      if (error instanceof DeliveryFailure) return error;
      throw error;
    }
  }

  #write(arn: string): void {
    this.#ledger.inOrder(`delivery ${arn}`, async () => {
      const standing = this.#standings.get(arn);
      if (standing === undefined) return;
      const { done, status } = standing;
      await this.#store.update("event-subscription", arn, (record) => {
        return { ...record, status, done: Math.max(record.done, done) };
      });
      if (this.#standings.get(arn) === standing) this.#standings.delete(arn);
    });
  }
}

const NOT_FOUND = 404;

/** A topic that refuses or is not there is shown; one that does not answer may be back soon. */
function statusAfter({ status }: DeliveryFailure): Status {
  if (status === 401 || status === 403) return "no-permission";
  return status === NOT_FOUND || status === 410 ? "topic-not-exist" : "active";
}
