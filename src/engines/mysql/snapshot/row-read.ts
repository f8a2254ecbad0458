import { MigrationError } from "../../../core/error.ts";
import type { RowChunk } from "../../../core/row-chunk.ts";
import { serverFields } from "../connection/errors.ts";
import { throwIfError } from "../connection/result-head.ts";
import type { WireSession } from "../connection/wire-session.ts";
import { ArrivedRows } from "./arrived-rows.ts";
import type { RowForm } from "./row-form.ts";
import { RowTranscoder } from "./row-transcoder.ts";

/** What a session that reads in pieces goes back to, so that the tables it has read are free for ALTER TABLE. */
export const SAVEPOINT = "savepoint tideway";
export const RELEASE = "rollback to savepoint tideway";

/** ER_QUERY_INTERRUPTED: the statement was ended by KILL QUERY. */
const INTERRUPTED = 1317;

/**
 * Rows of one SELECT on their way from a session of a snapshot. Both statements, the SELECT and the one that gives the
 * table free, go out together, so that a small table takes one round trip.
 */
export class RowRead {
  readonly #wire: WireSession;
  readonly #transcoder: RowTranscoder;
  readonly #arrived = new ArrivedRows();

  private constructor(wire: WireSession, form: RowForm) {
    this.#wire = wire;
    this.#transcoder = new RowTranscoder(form);
  }

  /** Throws ServerError, after which the session is ready for the next read. */
  static async start(wire: WireSession, sql: string, form: RowForm): Promise<RowRead> {
    const read = new RowRead(wire, form);
    await wire.ask(sql);
    await wire.ask(RELEASE);
    try {
      const head = await wire.head();
      if (!Array.isArray(head)) {
        throw new MigrationError("source.protocol", { message: "A query was not answered by rows." });
      }
    } catch (error) {
      if (serverFields(error) !== undefined) await read.#release();
      throw error;
    }
    read.#arrived.add(wire.packets.takeRest());
    return read;
  }

  /** The next chunk; undefined when all rows have come, which leaves the session ready for the next read. */
  async next(): Promise<RowChunk | undefined> {
    const transcoder = this.#transcoder;
    const arrived = this.#arrived;
    for (;;) {
      arrived.walk(transcoder);
      if (transcoder.full) return transcoder.take();
      if (transcoder.ended) break;
      arrived.add(await this.#wire.packets.more());
    }
    return transcoder.take() ?? (await this.#end());
  }

  /** Reads to the end what nobody wants: rows that were on their way when the SELECT was ended. */
  async drain(): Promise<void> {
    try {
      while ((await this.next()) !== undefined);
    } catch (error) {
      if (serverFields(error) === undefined) throw error;
    }
  }

  async #end(): Promise<undefined> {
    const { packets } = this.#wire;
    packets.putBack(this.#arrived.rest());
    await packets.read();
    try {
      throwIfError(packets);
    } finally {
      await this.#release();
    }
  }

  /** Reads what the second statement came to; an order to end the first one may have met it. */
  async #release(): Promise<void> {
    try {
      await this.#wire.ok();
    } catch (error) {
      if (serverFields(error)?.number !== INTERRUPTED) throw error;
      await this.#wire.query(RELEASE);
    }
  }
}
