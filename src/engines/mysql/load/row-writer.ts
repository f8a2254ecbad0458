import type { BodyReader } from "../../../core/copy-frames.ts";
import type { Client } from "../connection/client.ts";
import { ServerError } from "../connection/server-error.ts";
import { InsertText } from "./insert-text.ts";
import type { LoadColumns } from "./load-columns.ts";
import { LoadStatement } from "./load-statement.ts";
import { LoadText } from "./load-text.ts";

/**
 * Puts rows into one table: begin() before each chunk's bodies are read, send() after them. `rows` counts those that
 * have ended so far; a server that has taken another number, or has changed a value, makes it throw.
 */
export interface RowWriter extends BodyReader {
  begin(size: number): void;
  send(rows: number): Promise<void>;
  finish(rows: number): Promise<void>;
  /** How many values of the rows have come as others. */
  readonly replaced: number;
}

/** By LOAD DATA LOCAL, or by INSERT where the server does not take that. */
export function rowWriter(client: Client, columns: LoadColumns): RowWriter {
  return client.facts.localInfile ? new LoadWriter(client, columns) : new InsertWriter(client, columns);
}

/**
 * What the server makes of rows is known when a statement ends: a table is not one statement, so that rows that it
 * refuses are known before all of them have been sent.
 */
const STATEMENT_BYTES = 64 << 20;
const NEWLINE = 0x0a;

class LoadWriter implements RowWriter {
  readonly #client: Client;
  readonly #sql: string;
  readonly #text: LoadText;
  #statement: LoadStatement | undefined;
  #bytes = 0;
  /** Rows that earlier statements have put in. */
  #loaded = 0;

  constructor(client: Client, { loadSql, forms, cells, range }: LoadColumns) {
    this.#client = client;
    this.#sql = loadSql;
    this.#text = new LoadText(forms, cells, range);
  }

  get replaced(): number {
    return this.#text.replaced;
  }

  begin(size: number): void {
    this.#text.begin(size);
  }

  read(bytes: Uint8Array, start: number, end: number): void {
    this.#text.read(bytes, start, end);
  }

  async send(rows: number): Promise<void> {
    const bytes = this.#text.output();
    if (bytes.length === 0) return;
    this.#statement ??= new LoadStatement(this.#client, this.#sql);
    await this.#statement.write(bytes);
    this.#bytes += bytes.length;
    // A newline that belongs to a value is escaped, so this one ends a row.
    if (this.#bytes >= STATEMENT_BYTES && bytes.at(-1) === NEWLINE) await this.finish(rows);
  }

  async finish(rows: number): Promise<void> {
    const statement = this.#statement;
    if (statement === undefined) return;
    this.#statement = undefined;
    this.#bytes = 0;
    const loaded = await statement.end();
    // LOCAL makes errors warnings: a value is put right, a row that is there already passed over.
    if (loaded.warnings > 0) throw await firstWarning(this.#client);
    const expected = rows - this.#loaded;
    if (loaded.rows !== expected) throw otherCount(loaded.rows, expected);
    this.#loaded = rows;
  }
}

/** Bytes of a statement, as long as the server takes so many. */
const INSERT_BYTES = 1 << 20;

class InsertWriter implements RowWriter {
  readonly #client: Client;
  readonly #text: InsertText;

  constructor(client: Client, { insertSql, cells, range }: LoadColumns) {
    this.#client = client;
    const limit = Math.min(INSERT_BYTES, client.facts.maxAllowedPacket / 2);
    this.#text = new InsertText({ insertSql, cells, limit, range });
  }

  get replaced(): number {
    return this.#text.replaced;
  }

  begin(): void {}

  read(bytes: Uint8Array, start: number, end: number): void {
    this.#text.read(bytes, start, end);
  }

  async send(): Promise<void> {
    for (const { sql, rows } of this.#text.full.splice(0)) {
      const { affectedRows, warnings } = await this.#client.execute(sql);
      if (warnings > 0) throw await firstWarning(this.#client);
      if (affectedRows !== rows) throw otherCount(affectedRows, rows);
    }
  }

  async finish(): Promise<void> {
    this.#text.finish();
    await this.send();
  }
}

interface Warning {
  readonly Level: string;
  readonly Code: string;
  readonly Message: string;
}

/** The first warning of the last statement as the error that it would be elsewhere. */
async function firstWarning(client: Client): Promise<Error> {
  const warnings = await client.query<Warning>("show warnings limit 20");
  const first = warnings.find(({ Level }) => Level !== "Note") ?? warnings[0];
  if (first === undefined) return otherCount(0, 0);
  return new ServerError({ number: Number(first.Code), state: "HY000", message: first.Message });
}

const ER_ROW_COUNT = 1261;

/** Rows that were passed over without a word. */
function otherCount(loaded: number, sent: number): Error {
  return new ServerError({
    number: ER_ROW_COUNT,
    state: "01000",
    message: `Of ${sent} rows ${loaded} were taken`,
  });
}
