/** Where the values of some columns of one changed row stand in its event. Reused from row to row. */
export class LocatedValues {
  /** In the image before; -1 for NULL. */
  oldStarts = new Int32Array(16);
  oldEnds = new Int32Array(16);
  /** In the image after; -1 for NULL, -2 for a column that it does not hold. */
  newStarts = new Int32Array(16);
  newEnds = new Int32Array(16);

  room(columns: number): void {
    if (columns <= this.oldStarts.length) return;
    this.oldStarts = new Int32Array(columns);
    this.oldEnds = new Int32Array(columns);
    this.newStarts = new Int32Array(columns);
    this.newEnds = new Int32Array(columns);
  }

  /** Whether the k-th value is another after the change. What is not sent has not changed. */
  isOther(k: number, bytes: Buffer): boolean {
    const old = this.oldStarts[k]!;
    const now = this.newStarts[k]!;
    if (now === -2) return false;
    if (old < 0 || now < 0) return old !== now;
    const length = this.oldEnds[k]! - old;
    if (this.newEnds[k]! - now !== length) return true;
    for (let i = 0; i < length; i++) if (bytes[old + i] !== bytes[now + i]) return true;
    return false;
  }
}
