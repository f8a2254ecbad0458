import { PassThrough } from "node:stream";
import type mysql from "mysql2";
import type { Client } from "../connection/client.ts";

/** What waits for the socket at most, in bytes; the writer waits then. */
const WAITING_BYTES = 1 << 20;

export interface Loaded {
  readonly rows: number;
  /** Of any kind, notes included. */
  readonly warnings: number;
}

/** A LOAD DATA LOCAL that is running: its rows are what is written to it. */
export class LoadStatement {
  readonly #rows = new PassThrough({ highWaterMark: WAITING_BYTES });
  readonly #done: Promise<Loaded>;
  /** Set once the server has answered, or cannot any more. */
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(client: Client, sql: string) {
    this.#rows.on("drain", () => this.#wake?.());
    this.#done = new Promise((resolve, reject) => {
      const options: mysql.QueryOptions = { sql, infileStreamFactory: () => this.#rows };
      client.raw.query<mysql.ResultSetHeader>(options, (error, result) => {
        this.#ended = true;
        this.#wake?.();
        if (error !== null) reject(error);
        else resolve({ rows: result.affectedRows, warnings: result.warningStatus });
      });
    });
    // Whoever writes or ends gets it.
    this.#done.catch(() => undefined);
  }

  /** Resolves when more may be written. Throws what the driver says when the statement has failed. */
  async write(bytes: Buffer): Promise<void> {
    if (bytes.length === 0) return;
    if (!this.#ended && this.#rows.write(bytes)) return;
    if (!this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    if (this.#ended) await this.#done;
  }

  async end(): Promise<Loaded> {
    this.#rows.end();
    return this.#done;
  }
}
