/** Where values of a row's image stand in its event, by the index into RowPlan.located. */
export class Places {
  /** -1 for NULL; in the image after -2 for a column that it does not hold. */
  starts = new Int32Array(16);
  ends = new Int32Array(16);

  room(columns: number): void {
    if (columns <= this.starts.length) return;
    this.starts = new Int32Array(columns);
    this.ends = new Int32Array(columns);
  }
}

/** Where the values of some columns of one changed row stand in its event. Reused from row to row. */
export class LocatedValues {
  readonly before = new Places();
  readonly after = new Places();

  room(columns: number): void {
    this.before.room(columns);
    this.after.room(columns);
  }

  /** Whether the k-th value is another after the change. What is not sent has not changed. */
  isOther(k: number, bytes: Buffer): boolean {
    const old = this.before.starts[k]!;
    const now = this.after.starts[k]!;
    if (now === -2) return false;
    if (old < 0 || now < 0) return old !== now;
    const length = this.before.ends[k]! - old;
    if (this.after.ends[k]! - now !== length) return true;
    for (let i = 0; i < length; i++) if (bytes[old + i] !== bytes[now + i]) return true;
    return false;
  }
}
