/** A row that one side may have and the other not. */
export interface Candidate {
  /** The key in the form in which both sides are compared, or the digest of the row where there is no key. */
  readonly id: string;
  /** The key's values as each side is asked for them; undefined where the row is looked for among those of its bucket. */
  readonly lookup: KeyLookup | undefined;
}

export interface KeyLookup {
  readonly source: readonly string[];
  readonly target: readonly string[];
}

/** What one side has of a candidate. */
export interface RowState {
  readonly rows: number;
  /** The same text for the same rows. */
  readonly text: string;
  /** Of one row: a text for each compared column, the same for the same value. Undefined for none, or several. */
  readonly prints: readonly string[] | undefined;
  /** Of one row, or of several that are the same, in the order of the compared columns; undefined unless they are asked for. */
  readonly values: readonly (string | null)[] | undefined;
}

export const NO_ROWS: RowState = { rows: 0, text: "", prints: undefined, values: undefined };
