/** Goes on until it is disposed of. Whoever does that waits for its end, and gets to know of what went wrong. */
export class OngoingWork implements AsyncDisposable {
  readonly #work: Promise<void>;
  #isOn = true;

  constructor(work: (isOn: () => boolean) => Promise<void>) {
    this.#work = work(() => this.#isOn);
    this.#work.catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOn = false;
    await this.#work;
  }
}
