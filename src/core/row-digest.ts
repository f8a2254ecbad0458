import type { RowFilter } from "./plan.ts";
import type { TableSchema } from "./schema.ts";
import type { Partition } from "./source.ts";

/*
 * What rows are compared by (docs/decisions/035). Two databases hold the same rows when, in each bucket, they hold as
 * many rows with the same sum of digests: sums do not depend on an order, which collations would give differently, and
 * need no key.
 *
 * A row's digest is a number of 60 bits that a hash function makes of its text (RowHash); its bucket is the digest modulo
 * the number of buckets. A row's text is that of its columns in UTF-8, joined by commas. A value of a closed
 * form stands as it is: such a text is never empty and has no comma. A value of an open form (text, bytes) may hold anything;
 * so it stands as two, the number of its bytes in decimal and the value. One of more than LONGEST_PLAIN_BYTES bytes is told by
 * the MD5 of its bytes in 32 lower-case hexadecimal digits. NULL does not stand there at all: a row that has some begins with
 * NULLS and a letter for each column, `t` where it is NULL and `f` where it is not. So no two rows have one text.
 *
 * A value that is none of its column's form, such as a text where the other side has a number, stands as MISFIT and the
 * MD5 of its text.
 *
 * A database may write another text for a value now and then, where the right one would cost too much: then rows are
 * looked at that are the same, and found to be. It never writes the same text for values that differ.
 */
export const LONGEST_PLAIN_BYTES = 1000;
export const MISFIT = "!";
export const NULLS = "~";

/**
 * What makes the digest of a row's text. md5, sha1: the first 15 hexadecimal digits. lookup3: the last 60 bits of Bob
 * Jenkins' hash as PostgreSQL computes it where words are little-endian (hashtextextended), without a seed, of the text and
 * LOOKUP3_TAIL.
 */
export type RowHash = "md5" | "sha1" | "lookup3";

/** A whole block: of the last one alone bits do not spread over all of the hash. */
export const LOOKUP3_TAIL = "............";

/** How rows come into buckets. */
export interface Bucketing {
  readonly hash: RowHash;
  readonly buckets: number;
}

/** What both sides write the values of a column as. All but text and bytes are closed. */
export type DigestForm =
  /** UTF-8. `trims`: without blanks at the end, as one side pads or cuts them. A boolean is `true` or `false`. */
  | { readonly kind: "text"; readonly trims?: true }
  /** Hexadecimal digits, lower case; the number of bytes and the MD5 are those of the bytes themselves. */
  | { readonly kind: "bytes" }
  /** 0 or 1; another number stands as it is. */
  | { readonly kind: "boolean" }
  /** Decimal, without zeros in front. */
  | { readonly kind: "int" }
  /**
   * Rounded half away from zero to so many digits behind the point, which are all there; no point for 0; no minus before
   * zero. Without a scale all digits but zeros at the end of a fraction. NaN, Infinity, -Infinity.
   */
  | { readonly kind: "decimal"; readonly scale?: number }
  /**
   * The 64 bits of the number by IEEE 754 in 16 hexadecimal digits, after it was rounded to 32 bits where the form has so
   * many; zero without its sign.
   */
  | { readonly kind: "float"; readonly bits: 32 | 64 }
  /** YYYY-MM-DD, followed by ` BC` before year 1; `infinity`, `-infinity`. */
  | { readonly kind: "date" }
  /**
   * YYYY-MM-DD HH:MM:SS, a fraction without zeros at its end where there is one, ` BC` as for dates; of a zoned one in
   * UTC, without the zone. `infinity`, `-infinity`. Rounded to so many digits of the fraction: half up, or before 2000 half
   * down where the target is one that counts from there.
   */
  | { readonly kind: "timestamp"; readonly digits: number; readonly countsFrom2000?: true }
  /** As a timestamp's time of day, with a minus and more hours where it has them. */
  | { readonly kind: "time"; readonly digits: number }
  /** Lower case, with hyphens. */
  | { readonly kind: "uuid" }
  /** Zeros and ones, without zeros in front (one digit at least) where the lengths differ. */
  | { readonly kind: "bits"; readonly trims?: true }
  /**
   * The MD5 of the text that PostgreSQL has of a jsonb, but for numbers, which are written by value. No server writes that
   * for sure. `hasDoubles`: numbers but whole ones of 64 bits are doubles. `asSent`: both servers have most likely the same
   * text, and may write its MD5; of members of one name, all count.
   */
  | { readonly kind: "json"; readonly hasDoubles?: true; readonly asSent?: true }
  /**
   * The MD5 of the text form that all engines share (docs/decisions/021): of types that are one on both sides, and of a text
   * on one side that another type's values have become.
   */
  | { readonly kind: "own" };

/**
 * Whether all that write values in a form, servers and this program, have the same text of a value, and not only most likely:
 * then the same rows are in one bucket wherever they are digested.
 */
export function isWrittenAlike(form: DigestForm): boolean {
  switch (form.kind) {
    case "text":
      return form.trims !== true;
    case "decimal":
      return form.scale !== undefined;
    case "bytes":
    case "boolean":
    case "int":
    case "float":
      return true;
    default:
      return false;
  }
}

export interface DigestColumn {
  /** Into the table's columns. */
  readonly ordinal: number;
  readonly form: DigestForm;
}

export interface RowDigests extends Bucketing {
  /** In the order in which they stand in a row's text. */
  readonly columns: readonly DigestColumn[];
}

export interface DigestRequest extends RowDigests {
  readonly table: TableSchema;
  /** No share: what rows those have is known to whoever reads them only. */
  readonly partition: Partition;
  /** Only rows that it holds for. Left out: all. */
  readonly filter?: RowFilter;
}

/** What the rows of one bucket come to. A bucket without rows has none. */
export interface BucketDigest {
  readonly bucket: number;
  readonly rows: number;
  /** Of the digests. */
  readonly sum: bigint;
}

/** Rows of some buckets alone. */
export interface BucketChoice extends RowDigests {
  readonly wanted: readonly number[];
}
