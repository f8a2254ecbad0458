import { createHash } from "node:crypto";
import type { EventSubscriptionRecord } from "../task/records.ts";
import type { NumberedEvent, ServiceEvent } from "../task/store.ts";

/** What a topic is told of one event. */
export interface Notification {
  /** The same each time the same event is told on behalf of the same subscription. */
  readonly id: string;
  readonly topicArn: string;
  readonly subject: string;
  /** JSON text. */
  readonly message: string;
  readonly atMs: number;
}

const SUBJECT = "DMS Notification Message";
const EVENT_PAGE = "http://docs.aws.amazon.com/dms/latest/userguide/CHAP_Events.html";

/** Whether a subscription is about an event. */
export function concerns(subscription: EventSubscriptionRecord, event: ServiceEvent): boolean {
  const { sourceType, sourceIds, categories } = subscription;
  return (
    (sourceType === undefined || sourceType === event.sourceType) &&
    (sourceIds.length === 0 || includes(sourceIds, event.sourceIdentifier)) &&
    (categories.length === 0 || event.categories.some((category) => includes(categories, category)))
  );
}

function includes(texts: readonly string[], wanted: string): boolean {
  return texts.some((text) => text.toLowerCase() === wanted.toLowerCase());
}

/**
 * The message in the members that AWS DMS publishes: what reads those, be it by `Event ID` or by the
 * `SourceId:` in the link, reads these. `SourceId` is there by itself, too.
 */
export function notificationOf(
  { arn, createdMs, topicArn }: EventSubscriptionRecord,
  { number, event }: NumberedEvent,
): Notification {
  const { sourceType, sourceIdentifier: source, atMs } = event;
  const [, text = event.message, id = ""] = /^(.*) \[(DMS-EVENT-\d+)\]$/s.exec(event.message) ?? [];
  const fragment = sourceType === "replication-task" ? "tasks:ids" : "instances:ids";
  const message = {
    "Event Source": sourceType,
    "Event Time": new Date(atMs).toISOString().replace("T", " ").replace("Z", ""),
    "Identifier Link": `#${fragment}=${source}\nSourceId: ${source} `,
    SourceId: source,
    "Event ID": `${EVENT_PAGE}#${id} `,
    "Event Message": text,
  };
  return {
    id: uuidOf(`${arn} ${createdMs} ${number}`),
    topicArn,
    subject: SUBJECT,
    message: JSON.stringify(message),
    atMs,
  };
}

/** A name-based UUID (RFC 9562, version 8: made by rules of one's own). */
function uuidOf(name: string): string {
  const bytes = createHash("sha256").update(name).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
