import type { RowHash } from "../../src/core/row-digest.ts";

/** A type with values of it. */
export interface DigestSample {
  readonly type: string;
  /** SQL expressions, NULL left out. */
  readonly values: readonly string[];
}

export interface DigestSamples {
  /** Statements before the tables are made: types, a session's settings. */
  readonly setup: string;
  /** What the server makes digests with, the cheapest first. */
  readonly hashes: readonly RowHash[];
  readonly columns: readonly DigestSample[];
  /** Values that differ by as little as they can, so that no two of them may have one text. */
  readonly near: readonly DigestSample[];
  /** What makes a value one of its type; left out: nothing. */
  readonly cast?: (value: string, type: string) => string;
  /** Where the server may write another text than the client: `type as form`, and why. */
  readonly mayDiffer: Readonly<Record<string, string>>;
}
