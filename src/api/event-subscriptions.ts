import type {
  CreateEventSubscriptionMessage,
  CreateEventSubscriptionResponse,
  DeleteEventSubscriptionMessage,
  DeleteEventSubscriptionResponse,
  DescribeEventSubscriptionsMessage,
  DescribeEventSubscriptionsResponse,
  EventSubscription,
  ModifyEventSubscriptionMessage,
  ModifyEventSubscriptionResponse,
} from "@aws-sdk/client-database-migration-service";
import { eventCategories } from "../task/events.ts";
import type { EventSubscriptionRecord } from "../task/records.ts";
import type { EventSource } from "../task/store.ts";
import { makeArn } from "./arn.ts";
import { checkSource, EVENT_SOURCES } from "./events.ts";
import { alreadyExists, Fault, invalidCombination, invalidValue, notFound } from "./faults.ts";
import { filteredOrNotFound } from "./filters.ts";
import { page } from "./paging.ts";
import type { Call } from "./service.ts";
import type { Checked } from "./shapes.ts";
import { checkTags } from "./tag-rules.ts";

/** Of what happens from now on; how it is delivered is the business of src/notify. */
export async function createEventSubscription(
  request: Checked<CreateEventSubscriptionMessage>,
  call: Call,
): Promise<CreateEventSubscriptionResponse> {
  const identifier = checkName(request.SubscriptionName);
  const tags = checkTags(request.Tags);
  const sourceType = checkSource(request.SourceType);
  const record: EventSubscriptionRecord = {
    arn: makeArn(call, "es", identifier.toLowerCase()),
    identifier,
    createdMs: Date.now(),
    topicArn: checkTopic(request.SnsTopicArn, call),
    sourceType,
    sourceIds: await checkSourceIds(request.SourceIds ?? [], sourceType, call),
    categories: checkCategories(request.EventCategories ?? [], sourceType),
    enabled: request.Enabled ?? true,
    status: "active",
    done: await call.store.lastEventNumber(),
  };
  if (!(await call.store.insert("event-subscription", record, { tags }))) {
    throw alreadyExists(`Event subscription ${identifier} already exists.`);
  }
  return { EventSubscription: shape(record, call, "creating") };
}

export async function describeEventSubscriptions(
  request: Checked<DescribeEventSubscriptionsMessage>,
  call: Call,
): Promise<DescribeEventSubscriptionsResponse> {
  const { SubscriptionName: name } = request;
  const all = name === undefined ? await call.store.list("event-subscription") : [await find(name, call)];
  const found = filteredOrNotFound(all, request.Filters, {
    what: "Event Subscriptions",
    names: {
      "event-subscription-arn": (one) => one.arn,
      "event-subscription-id": (one) => one.identifier,
    },
  });
  const { items, marker } = page(found, request, { key: (one) => one.arn });
  return { Marker: marker, EventSubscriptionsList: items.map((one) => shape(one, call)) };
}

/** What is not given stays. What happened while it was not enabled is not told. */
export async function modifyEventSubscription(
  request: Checked<ModifyEventSubscriptionMessage>,
  call: Call,
): Promise<ModifyEventSubscriptionResponse> {
  const before = await find(request.SubscriptionName, call);
  const sourceType = checkSource(request.SourceType) ?? before.sourceType;
  const topicArn =
    request.SnsTopicArn === undefined ? before.topicArn : checkTopic(request.SnsTopicArn, call);
  const categories = checkCategories(request.EventCategories ?? before.categories, sourceType);
  if (sourceType !== before.sourceType) await checkSourceIds(before.sourceIds, sourceType, call);
  const last = await call.store.lastEventNumber();
  const record = await call.store.update("event-subscription", before.arn, (now) => {
    const enabled = request.Enabled ?? now.enabled;
    const done = enabled && !now.enabled ? last : now.done;
    return { ...now, topicArn, sourceType, categories, enabled, done, status: "active" };
  });
  if (record === undefined) throw missing(request.SubscriptionName);
  call.topics.retry(record.arn);
  return { EventSubscription: shape(record, call, "modifying") };
}

export async function deleteEventSubscription(
  request: Checked<DeleteEventSubscriptionMessage>,
  call: Call,
): Promise<DeleteEventSubscriptionResponse> {
  const record = await find(request.SubscriptionName, call);
  await call.store.remove("event-subscription", record.arn);
  call.topics.retry(record.arn);
  return { EventSubscription: shape(record, call, "deleting") };
}

async function find(name: string, call: Call): Promise<EventSubscriptionRecord> {
  const subscriptions = await call.store.list("event-subscription");
  const found = subscriptions.find((one) => one.identifier.toLowerCase() === name.toLowerCase());
  if (found === undefined) throw missing(name);
  return found;
}

function missing(name: string): Fault {
  return notFound(`Event Subscription not found: ${name}.`);
}

function checkName(name: string): string {
  if (/^[A-Za-z0-9._-]{1,255}$/.test(name)) return name;
  throw invalidValue(
    "The parameter SubscriptionName must have 1 to 255 letters, digits, periods, underscores and hyphens.",
  );
}

function checkTopic(arn: string, call: Call): string {
  switch (call.topics.state(arn)) {
    case "known":
      return arn;
    case "malformed":
      throw new Fault("SNSInvalidTopicFault", `${arn} is not the ARN of a standard SNS topic.`);
    case "unknown":
      throw new Fault(
        "SNSInvalidTopicFault",
        `This server has no way to the topic ${arn}. Start it with --sns-endpoint, or name the topic in the file of --topics.`,
      );
  }
}

async function checkSourceIds(
  ids: readonly string[],
  type: EventSource | undefined,
  call: Call,
): Promise<readonly string[]> {
  if (ids.length === 0) return ids;
  if (type === undefined) {
    throw invalidCombination("SourceType must be given together with SourceIds.");
  }
  const sources = await call.store.list(type === "replication-instance" ? "instance" : "task");
  const known = new Set(sources.map((one) => one.identifier.toLowerCase()));
  const unknown = ids.find((id) => !known.has(id.toLowerCase()));
  if (unknown !== undefined) throw notFound(`There is no ${type} ${unknown}.`);
  return ids;
}

/** As given: clients compare what they get with what they gave. */
function checkCategories(given: readonly string[], type: EventSource | undefined): readonly string[] {
  const known = (type === undefined ? EVENT_SOURCES : [type]).flatMap((source) => eventCategories[source]);
  const unknown = given.find((category) => !known.includes(category.toLowerCase()));
  if (unknown === undefined) return given;
  throw invalidValue(
    `Invalid event category: ${unknown}. Categories are: ${[...new Set(known)].sort().join(", ")}.`,
  );
}

function shape(
  record: EventSubscriptionRecord,
  call: Call,
  status: string = record.status,
): EventSubscription {
  return {
    CustomerAwsId: call.account,
    CustSubscriptionId: record.identifier,
    SnsTopicArn: record.topicArn,
    Status: status,
    SubscriptionCreationTime: new Date(record.createdMs).toISOString().replace("T", " ").replace("Z", ""),
    SourceType: record.sourceType,
    SourceIdsList: [...record.sourceIds],
    EventCategoriesList: [...record.categories],
    Enabled: record.enabled,
  };
}
