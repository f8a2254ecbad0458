import type { ObjectRights } from "./rights.ts";

/** A value that lies outside of all tables and is known by its number, which rows refer to. */
export interface LargeObject {
  /** A decimal text, at most 2^32 - 1. It stays the same on the target. */
  readonly id: string;
  /** The first bytes: all of them when it is no longer than a piece that is read at once. */
  readonly head: Uint8Array;
  readonly isWhole: boolean;
  readonly comment?: string;
  readonly rights: ObjectRights;
}

/** Large objects come in the order of their numbers. */
export interface LargeObjectProgress {
  /** All up to this number are done; "0" for none. */
  readonly after: string;
  /** There are no more. */
  readonly done: boolean;
}
