const SPACE = 0x20;
const PLUS = 0x2b;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const LETTER_B = 0x42;
const LETTER_C = 0x43;
const LETTER_D = 0x64;
const LETTER_I = 0x69;
const LETTER_M = 0x6d;
const LETTER_Y = 0x79;

const DAY_SECONDS = 86_400;
/** As PostgreSQL compares intervals. */
const MONTH_DAYS = 30;
const MILLION = 1_000_000;

/** The types whose values are read as moments. */
export type MomentKind = "date" | "time" | "timestamp" | "interval";

/**
 * A date, a time, a timestamp or an interval as numbers that compare as the values do. It reads the text form that all
 * engines share (docs/decisions/021), and is read into again and again, so that a cell costs no object.
 */
export class Moment {
  /** Since 1970-01-01, since midnight, or of the interval; in UTC where there is an offset. Infinite for "infinity". */
  seconds = 0;
  /** From 0 up to a million, also where seconds are below 0. */
  micros = 0;
  /**
   * Of a time of day: seconds that its zone is behind UTC. Of two at one moment the one further west is the greater, as
   * in PostgreSQL; timestamps at one moment are equal wherever they were written down.
   */
  west = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;

  read(kind: MomentKind, bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.seconds = 0;
    this.micros = 0;
    this.west = 0;
    if (this.#readInfinity()) return;
    if (kind === "interval") {
      this.#readInterval();
      return;
    }
    if (kind !== "time") this.#readDate();
    if (kind === "date") return;
    this.#readClock();
    const offset = this.#readZone();
    this.seconds -= offset;
    if (kind === "time") this.west = -offset;
  }

  compare(other: Moment): number {
    if (this.seconds !== other.seconds) return this.seconds < other.seconds ? -1 : 1;
    return this.micros - other.micros || this.west - other.west;
  }

  #readInfinity(): boolean {
    const isNegative = this.#peek() === MINUS;
    if (this.#byte(isNegative ? this.#at + 1 : this.#at) !== LETTER_I) return false;
    this.seconds = isNegative ? -Infinity : Infinity;
    return true;
  }

  /** Years before 1 have their mark at the end of the whole text. */
  #readDate(): void {
    const isBefore = this.#byte(this.#end - 1) === LETTER_C && this.#byte(this.#end - 2) === LETTER_B;
    const year = this.#digits();
    this.#at++;
    const month = this.#digits();
    this.#at++;
    const day = this.#digits();
    this.seconds = DAY_SECONDS * daysFrom1970(isBefore ? 1 - year : year, month, day);
    if (this.#peek() === SPACE) this.#at++;
  }

  /** Hours, minutes, seconds and their fraction, added to what there is. */
  #readClock(): void {
    const isNegative = this.#readSign();
    let seconds = 3600 * this.#digits();
    this.#at++;
    seconds += 60 * this.#digits();
    this.#at++;
    seconds += this.#digits();
    const micros = this.#readFraction();
    this.seconds += isNegative ? -seconds : seconds;
    this.micros = micros;
    if (isNegative && micros > 0) {
      this.seconds--;
      this.micros = MILLION - micros;
    }
  }

  #readFraction(): number {
    if (this.#peek() !== DOT) return 0;
    this.#at++;
    let micros = 0;
    for (let unit = MILLION / 10; unit >= 1 && this.#isDigit(); unit /= 10) {
      micros += unit * (this.#peek() - ZERO);
      this.#at++;
    }
    return micros;
  }

  /** Seconds that the zone is ahead of UTC; 0 where none is said. */
  #readZone(): number {
    const sign = this.#peek();
    if (sign !== PLUS && sign !== MINUS) return 0;
    this.#at++;
    let offset = 0;
    for (let unit = 3600; unit >= 1; unit /= 60) {
      offset += unit * this.#digits();
      if (this.#peek() !== COLON) break;
      this.#at++;
    }
    return sign === PLUS ? offset : -offset;
  }

  /** `-838:59:59.5`, or PostgreSQL's `1 year -2 mons +3 days -04:05:06.7`; each part has its own sign. */
  #readInterval(): void {
    while (this.#at < this.#end) {
      const start = this.#at;
      const isNegative = this.#readSign();
      const number = this.#digits();
      if (this.#peek() === COLON) {
        this.#at = start;
        this.#readClock();
        return;
      }
      this.#at++;
      this.seconds += (isNegative ? -number : number) * DAY_SECONDS * this.#daysOfUnit();
      while (this.#at < this.#end && this.#peek() !== SPACE) this.#at++;
      this.#at++;
    }
  }

  #daysOfUnit(): number {
    switch (this.#peek()) {
      case LETTER_Y:
        return 12 * MONTH_DAYS;
      case LETTER_M:
        return MONTH_DAYS;
      case LETTER_D:
        return 1;
      default:
        throw new RangeError("not an interval");
    }
  }

  #readSign(): boolean {
    const sign = this.#peek();
    if (sign === MINUS || sign === PLUS) this.#at++;
    return sign === MINUS;
  }

  #digits(): number {
    let value = 0;
    while (this.#isDigit()) value = 10 * value + this.#bytes[this.#at++]! - ZERO;
    return value;
  }

  #isDigit(): boolean {
    const byte = this.#peek();
    return byte >= ZERO && byte <= NINE;
  }

  #peek(): number {
    return this.#byte(this.#at);
  }

  /** Of what ends too early, as text that no engine writes does, -1. */
  #byte(at: number): number {
    return at < this.#end ? this.#bytes[at]! : -1;
  }
}

/** The proleptic Gregorian calendar, with the year 0 before the year 1. March begins the year of the sum. */
function daysFrom1970(year: number, month: number, day: number): number {
  const from = month > 2 ? year : year - 1;
  const era = Math.floor(from / 400);
  const inEra = from - 400 * era;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const dayOfEra = 365 * inEra + Math.floor(inEra / 4) - Math.floor(inEra / 100) + dayOfYear;
  return 146_097 * era + dayOfEra - 719_468;
}
