/** Lanes at work from the start; a source and a target are two machines, or two cores of one. */
const FIRST_LANES = 2;
/** How long a number of lanes is watched; long against the pause between two partitions. */
const WINDOW_MS = 1_000;
/** One lane more must move at least this share of what the others move each; figures vary by themselves. */
const GAIN = 0.5;
/** One lane less is kept when it costs no more than this. */
const LOSS = 0.95;
/** Windows until the first trial, and the next; doubled after each that changed nothing. */
const FIRST_HOLD = 6;
const LONGEST_HOLD = 60;
/** What a partition is worth beside its bytes: the round trips of a small table. */
const PARTITION_WORTH = 64 << 10;

/**
 * How many of the lanes work at once. More of them than the servers have cores to spare only take turns,
 * and each turn costs: on two cores eight lanes move a quarter less than two. Nobody tells how many cores
 * and disks a server has, so it is tried: one lane more for a while, kept when more is moved in the same
 * time; later one less, kept when no less is moved.
 */
export class LaneGovernor {
  readonly #most: number;
  readonly #now: () => number;
  readonly #waiting: (() => void)[] = [];
  #permitted: number;
  #busy = 0;
  #windowStart: number;
  #moved = 0;
  /** Whether all permitted lanes were at work all through the window. */
  #full = false;
  /** What the number of lanes in use moves per millisecond, and how many windows that is the mean of. */
  #rate = 0;
  #windows = 0;
  #hold = FIRST_HOLD;
  /** 1 or -1 while another number of lanes is on trial; the first window of a trial is let pass. */
  #trial = 0;
  #settled = false;
  #next = 1;

  constructor(most: number, now: () => number = () => performance.now()) {
    this.#most = most;
    this.#now = now;
    this.#permitted = Math.min(most, FIRST_LANES);
    this.#windowStart = now();
  }

  get permitted(): number {
    return this.#permitted;
  }

  /** Resolves when a lane may work; leave() ends its turn. */
  async enter(): Promise<void> {
    while (this.#busy >= this.#permitted) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#busy++;
  }

  leave(): void {
    this.#busy--;
    this.#full = false;
    this.#moved += PARTITION_WORTH;
    this.#wake();
  }

  /** Tells that so many bytes have been moved. */
  moved(bytes: number): void {
    this.#moved += bytes;
    const now = this.#now();
    const elapsed = now - this.#windowStart;
    if (elapsed < WINDOW_MS) return;
    if (this.#full || this.#busy >= this.#permitted) this.#judge(this.#moved / elapsed);
    this.#windowStart = now;
    this.#moved = 0;
    this.#full = this.#busy >= this.#permitted;
  }

  #judge(rate: number): void {
    if (this.#trial === 0) this.#watch(rate);
    else if (!this.#settled) this.#settled = true;
    else this.#decide(rate);
  }

  #watch(rate: number): void {
    this.#windows++;
    this.#rate += (rate - this.#rate) / Math.min(this.#windows, 4);
    if (this.#windows >= this.#hold) this.#try();
  }

  /** More and less are tried in turn; where one is not possible, the other. */
  #try(): void {
    const mayGrow = this.#permitted < this.#most;
    const mayShrink = this.#permitted > Math.min(this.#most, FIRST_LANES);
    if (!mayGrow && !mayShrink) return;
    this.#trial = (this.#next > 0 && mayGrow) || !mayShrink ? 1 : -1;
    this.#settled = false;
    this.#permit(this.#permitted + this.#trial);
  }

  #decide(rate: number): void {
    const gain = 1 + GAIN / (this.#permitted - 1);
    const keeps = rate >= this.#rate * (this.#trial > 0 ? gain : LOSS);
    if (keeps) {
      this.#rate = rate;
      this.#next = this.#trial;
    } else {
      this.#permit(this.#permitted - this.#trial);
      this.#hold = Math.min(LONGEST_HOLD, this.#hold * 2);
      this.#next = -this.#trial;
    }
    this.#trial = 0;
    // What was gained may be gained again at once.
    this.#windows = keeps ? this.#hold : 0;
  }

  #permit(lanes: number): void {
    this.#permitted = lanes;
    this.#wake();
  }

  #wake(): void {
    for (let free = this.#permitted - this.#busy; free > 0; free--) this.#waiting.shift()?.();
  }
}
