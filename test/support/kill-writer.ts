import { OngoingWork } from "./ongoing-work.ts";

/** A statement with the values of its parameters. */
export type Statement = readonly [sql: string, values: readonly unknown[]];

/** What is needed of a connection of either driver. */
export interface WriterConnection {
  query(sql: string, values: unknown[]): Promise<unknown>;
  end(): Promise<void>;
}

/** The statements of the transaction of that number, from its begin to its commit. */
export type NotedTransaction = (number: number, note: string) => readonly Statement[];

/** An application that writes until it is disposed of; each row that it adds says what the task was at. */
export class KillWriter implements AsyncDisposable {
  /** What is noted in the rows from now on. */
  note: string;
  commits = 0;
  readonly #connection: WriterConnection;
  readonly #transaction: NotedTransaction;
  readonly #work: OngoingWork;

  constructor(connection: WriterConnection, transaction: NotedTransaction, note: string) {
    this.#connection = connection;
    this.#transaction = transaction;
    this.note = note;
    this.#work = new OngoingWork((isOn) => this.#run(isOn));
  }

  /** Nothing of it is open any more when this resolves. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#work[Symbol.asyncDispose]();
    } finally {
      await this.#connection.end();
    }
  }

  async #run(isOn: () => boolean): Promise<void> {
    for (let i = 0; isOn(); i++) {
      for (const [sql, values] of this.#transaction(i, this.note)) {
        await this.#connection.query(sql, [...values]);
      }
      this.commits++;
    }
  }
}
