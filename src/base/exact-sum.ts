const DECIMAL = /^([+-]?)(\d+)(?:\.(\d*))?$/;
const WORDS: ReadonlySet<string> = new Set(["NaN", "Infinity", "-Infinity"]);

/** The sum of decimal numbers, all digits of it, as PostgreSQL adds its own up: NaN and the infinities are numbers, too. */
export class ExactSum {
  /** In units of the last digit of all so far. */
  #units = 0n;
  #scale = 0;
  #word: string | undefined;
  #hasSome = false;

  /** Decimal digits with a sign and a point, or a word; null for none. */
  add(text: string | null): void {
    if (text === null) return;
    this.#hasSome = true;
    if (WORDS.has(text)) {
      this.#word = this.#word === undefined || this.#word === text ? text : "NaN";
      return;
    }
    const found = DECIMAL.exec(text);
    if (found === null) throw new RangeError("what is to be added is no decimal number");
    const [, sign, whole, fraction = ""] = found;
    const scale = Math.max(this.#scale, fraction.length);
    const units = BigInt(`${whole}${fraction.padEnd(scale, "0")}`);
    this.#units *= 10n ** BigInt(scale - this.#scale);
    this.#units += sign === "-" ? -units : units;
    this.#scale = scale;
  }

  /** Null where nothing has been added. */
  get text(): string | null {
    if (!this.#hasSome || this.#word !== undefined) return this.#word ?? null;
    const sign = this.#units < 0n ? "-" : "";
    const digits = String(this.#units)
      .replace("-", "")
      .padStart(this.#scale + 1, "0");
    if (this.#scale === 0) return `${sign}${digits}`;
    return `${sign}${digits.slice(0, -this.#scale)}.${digits.slice(-this.#scale)}`;
  }
}
