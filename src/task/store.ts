import type { Records, ResourceKind } from "./records.ts";
import type { TableProgress } from "./task.ts";

/**
 * What the control plane remembers over restarts. Each method is atomic and durable when it resolves.
 * Records come back as equal plain data; the caller may not change them.
 */
export interface Store extends AsyncDisposable {
  /** False, and nothing stored, when the kind has a record of that ARN, whatever its case, or of that uniqueName(). */
  insert<K extends ResourceKind>(kind: K, record: Records[K], companions?: Companions): Promise<boolean>;
  get<K extends ResourceKind>(kind: K, arn: string): Promise<Records[K] | undefined>;
  /** Oldest first. */
  list<K extends ResourceKind>(kind: K): Promise<readonly Records[K][]>;
  /**
   * Reads, changes and writes in one step; resolves with the new record, undefined when there is none.
   * `change` is called once, must not wait, may throw to leave things as they are, and keeps the ARN.
   * Throws IdentifierTaken when another record has the new one's uniqueName(). `companions` is asked with the
   * new record.
   */
  update<K extends ResourceKind>(
    kind: K,
    arn: string,
    change: (record: Records[K]) => Records[K],
    companions?: (record: Records[K]) => Companions,
  ): Promise<Records[K] | undefined>;
  /** Takes the record's tags, secrets and table statistics with it. False when there is none. */
  remove(
    kind: ResourceKind,
    arn: string,
    companions?: Pick<Companions, "event" | "removes">,
  ): Promise<boolean>;

  /** In the order in which they were first set. */
  tags(arn: string): Promise<readonly Tag[]>;
  setTags(arn: string, tags: readonly Tag[]): Promise<void>;
  removeTags(arn: string, keys: readonly string[]): Promise<void>;

  /** Encrypted at rest. undefined removes it. */
  setSecret(owner: string, name: string, value: string | undefined): Promise<void>;
  /** Throws `server.secret_key` when it cannot be decrypted. */
  secret(owner: string, name: string): Promise<string | undefined>;

  /** With each event that is added, here or beside a record, those are forgotten that EVENTS_KEPT does not cover. */
  addEvents(events: readonly ServiceEvent[]): Promise<void>;
  /** By their times, then as they were added; from `sinceMs` (inclusive) to `untilMs` (inclusive). */
  events(range: { readonly sinceMs: number; readonly untilMs: number }): Promise<readonly ServiceEvent[]>;
  /** In the order in which they were added, those with greater numbers than `number`; `most` at the most. */
  eventsAfter(number: number, most: number): Promise<readonly NumberedEvent[]>;
  /** Number of the event that was added last; 0 before the first. */
  lastEventNumber(): Promise<number>;
  /** Calls back each time after events have been added. */
  onEvents(listener: () => void): void;

  /** Adds or replaces the rows of the named tables; others stay. */
  putTableStatistics(taskArn: string, tables: readonly TableProgress[]): Promise<void>;
  /** In the order in which they were first put. */
  tableStatistics(taskArn: string): Promise<readonly TableProgress[]>;
}

/** What belongs to a record and is stored in the same step: a crash leaves both or neither. */
export interface Companions {
  /** Added, or replaced by their keys. */
  readonly tags?: readonly Tag[];
  /** By name; the others stay. */
  readonly secrets?: Readonly<Record<string, string>>;
  readonly event?: ServiceEvent | undefined;
  /** What tables did in earlier runs is forgotten. */
  readonly clearsTableStatistics?: boolean;
  /** Records that hold no longer; those that are gone already do not matter. */
  readonly removes?: readonly { readonly kind: ResourceKind; readonly arn: string }[];
}

export interface Tag {
  readonly key: string;
  readonly value: string;
}

/** As long as AWS keeps events, and what a script that starts and stops tasks without an end leaves of them. */
export const EVENTS_KEPT = { days: 14, most: 50_000 } as const;

export type EventSource = "replication-instance" | "replication-task";

export interface ServiceEvent {
  readonly atMs: number;
  readonly sourceType: EventSource;
  /** The identifier people gave the instance or task. */
  readonly sourceIdentifier: string;
  readonly categories: readonly string[];
  readonly message: string;
}

/** Numbers grow by one with each event that is added, and are never given again. */
export interface NumberedEvent {
  readonly number: number;
  readonly event: ServiceEvent;
}

/** Names differ without regard to case; serverless configurations have names of their own. */
export function uniqueName(record: {
  readonly identifier: string;
  readonly serverless?: object | undefined;
}): string {
  const name = record.identifier.toLowerCase();
  return record.serverless === undefined ? name : `serverless ${name}`;
}

/** A record was to be renamed to a name that another one has. */
export class IdentifierTaken extends Error {
  override readonly name = "IdentifierTaken";
}
