/** A session of Tideway that waits for a lock which somebody else holds. */
export interface LockWait {
  /** What the session is for, as the database's activity views show it. */
  readonly waiting: string;
  /** Who is in the way, in words that its owner can be found by. */
  readonly holder: string;
  /** Of the holder, as the database's activity views show it; "hidden" from a role that may not see it. */
  readonly state: string;
  /** How long the holder's transaction has been open; null when that is hidden. */
  readonly seconds: number | null;
}
