import type {
  DescribeEventCategoriesMessage,
  DescribeEventCategoriesResponse,
  DescribeEventsMessage,
  DescribeEventsResponse,
  Event,
} from "@aws-sdk/client-database-migration-service";
import { eventCategories } from "../task/events.ts";
import { EVENTS_KEPT, type EventSource, type ServiceEvent } from "../task/store.ts";
import { invalidCombination, invalidValue } from "./faults.ts";
import { filtered } from "./filters.ts";
import { page } from "./paging.ts";
import type { Call } from "./service.ts";
import { type Checked, validation } from "./shapes.ts";

export const EVENT_SOURCES: readonly EventSource[] = ["replication-instance", "replication-task"];
const MINUTE_MS = 60_000;
const DEFAULT_MINUTES = 60;
const MOST_MINUTES = EVENTS_KEPT.days * 24 * 60;

export async function describeEvents(
  request: Checked<DescribeEventsMessage>,
  call: Call,
): Promise<DescribeEventsResponse> {
  // AWS's model knows replication-instance alone; the service and its clients know both.
  const sourceType: string | undefined = request.SourceType;
  checkSource(sourceType);
  if (request.SourceIdentifier !== undefined && sourceType === undefined) {
    throw invalidCombination("SourceType must be given together with SourceIdentifier.");
  }
  const categories = request.EventCategories?.map((category) => category.toLowerCase());
  const identifier = request.SourceIdentifier?.toLowerCase();
  const events = (await call.store.events(timeRange(request))).filter(
    (event) =>
      (sourceType === undefined || event.sourceType === sourceType) &&
      (identifier === undefined || event.sourceIdentifier.toLowerCase() === identifier) &&
      (categories === undefined || event.categories.some((category) => categories.includes(category))),
  );
  const found = filtered(events, request.Filters, {
    "replication-instance-id": (event) =>
      event.sourceType === "replication-instance" ? event.sourceIdentifier : [],
  });
  const { items, marker } = page(found, request, {
    key: (event) => `${event.atMs} ${event.sourceIdentifier} ${event.message}`,
  });
  return { Marker: marker, Events: items.map(shape) };
}

export async function describeEventCategories(
  request: Checked<DescribeEventCategoriesMessage>,
  _call: Call,
): Promise<DescribeEventCategoriesResponse> {
  const asked = checkSource(request.SourceType);
  const sources = asked === undefined ? EVENT_SOURCES : [asked];
  return {
    EventCategoryGroupList: sources.map((source) => ({
      SourceType: source,
      EventCategories: [...eventCategories[source]],
    })),
  };
}

function timeRange(request: Checked<DescribeEventsMessage>): {
  readonly sinceMs: number;
  readonly untilMs: number;
} {
  const { StartTime: start, EndTime: end, Duration: minutes } = request;
  if (minutes !== undefined && (minutes < 1 || minutes > MOST_MINUTES)) {
    throw invalidValue(
      `Invalid value ${minutes} for Duration. Must be between 1 and ${MOST_MINUTES} minutes`,
    );
  }
  if (start !== undefined && end !== undefined && start > end) {
    throw invalidCombination("StartTime must not be after EndTime.");
  }
  const span = (minutes ?? DEFAULT_MINUTES) * MINUTE_MS;
  if (start === undefined) {
    const untilMs = end?.getTime() ?? Date.now();
    return { sinceMs: untilMs - span, untilMs };
  }
  const untilMs = end?.getTime() ?? (minutes === undefined ? Date.now() : start.getTime() + span);
  return { sinceMs: start.getTime(), untilMs };
}

export function checkSource(given: string | undefined): EventSource | undefined {
  if (given === undefined) return undefined;
  const source = EVENT_SOURCES.find((one) => one === given);
  if (source !== undefined) return source;
  throw validation([
    `Value '${given}' at 'sourceType' failed to satisfy constraint: Member must satisfy enum value set: [${EVENT_SOURCES.join(", ")}]`,
  ]);
}

function shape(event: ServiceEvent): Event {
  return {
    SourceIdentifier: event.sourceIdentifier,
    SourceType: event.sourceType as "replication-instance",
    Message: event.message,
    EventCategories: [...event.categories],
    Date: new Date(event.atMs),
  };
}
