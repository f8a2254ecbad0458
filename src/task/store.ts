import type { Records, ResourceKind } from "./records.ts";
import type { TableProgress } from "./task.ts";

/**
 * What the control plane remembers over restarts. Each method is atomic and durable when it resolves.
 * Records come back as equal plain data; the caller may not change them.
 */
export interface Store extends AsyncDisposable {
  /** False, and nothing stored, when the kind has a record of that ARN or identifier, whatever their case. */
  insert<K extends ResourceKind>(kind: K, record: Records[K]): Promise<boolean>;
  get<K extends ResourceKind>(kind: K, arn: string): Promise<Records[K] | undefined>;
  /** Oldest first. */
  list<K extends ResourceKind>(kind: K): Promise<readonly Records[K][]>;
  /**
   * Reads, changes and writes in one step; resolves with the new record, undefined when there is none.
   * `change` is called once, must not wait, may throw to leave things as they are, and keeps the ARN.
   * Throws IdentifierTaken when the new identifier belongs to another record.
   */
  update<K extends ResourceKind>(
    kind: K,
    arn: string,
    change: (record: Records[K]) => Records[K],
  ): Promise<Records[K] | undefined>;
  /** Takes the record's tags, secrets and table statistics with it. False when there is none. */
  remove(kind: ResourceKind, arn: string): Promise<boolean>;

  /** In the order in which they were first set. */
  tags(arn: string): Promise<readonly Tag[]>;
  setTags(arn: string, tags: readonly Tag[]): Promise<void>;
  removeTags(arn: string, keys: readonly string[]): Promise<void>;

  /** Encrypted at rest. undefined removes it. */
  setSecret(owner: string, name: string, value: string | undefined): Promise<void>;
  /** Throws `server.secret_key` when it cannot be decrypted. */
  secret(owner: string, name: string): Promise<string | undefined>;

  addEvent(event: ServiceEvent): Promise<void>;
  /** Oldest first, from `sinceMs` (inclusive) to `untilMs` (inclusive). */
  events(range: { readonly sinceMs: number; readonly untilMs: number }): Promise<readonly ServiceEvent[]>;
  removeEventsBefore(ms: number): Promise<void>;

  /** Adds or replaces the rows of the named tables; others stay. */
  putTableStatistics(taskArn: string, tables: readonly TableProgress[]): Promise<void>;
  /** In the order in which they were first put. */
  tableStatistics(taskArn: string): Promise<readonly TableProgress[]>;
  clearTableStatistics(taskArn: string): Promise<void>;
}

export interface Tag {
  readonly key: string;
  readonly value: string;
}

export type EventSource = "replication-instance" | "replication-task";

export interface ServiceEvent {
  readonly atMs: number;
  readonly sourceType: EventSource;
  /** The identifier people gave the instance or task. */
  readonly sourceIdentifier: string;
  readonly categories: readonly string[];
  readonly message: string;
}

/** A record was to be renamed to a name that another one has. */
export class IdentifierTaken extends Error {
  override readonly name = "IdentifierTaken";
}
