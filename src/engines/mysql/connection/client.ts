import type mysql from "mysql2";
import { FACTS_SQL, readFacts, type ServerFacts, type VariableRow } from "./server-facts.ts";

/** How long a server may take to hang up before the connection is cut. */
const GOODBYE_MS = 2_000;

/** What a statement that returns no rows did; of several statements the sum and the last text. */
export interface Execution {
  /** Rows that were inserted, deleted or matched; a row that ON DUPLICATE KEY changed counts twice. */
  readonly affectedRows: number;
  /** The server's remark, e.g. "Records: 3  Duplicates: 0  Warnings: 0". */
  readonly info: string;
  readonly warnings: number;
}

/**
 * One connection of the driver with the session's settings made. Several statements may stand in one text. Values
 * are put in for `?` here, not by the server; statements throw what the driver says, for classify().
 */
export class Client implements AsyncDisposable {
  readonly facts: ServerFacts;
  /** The driver's connection. */
  readonly raw: mysql.Connection;
  #ended = false;

  constructor(raw: mysql.Connection, facts: ServerFacts) {
    this.raw = raw;
    this.facts = facts;
  }

  /** Makes the session's settings and asks what the server is, in one round trip. */
  static async begin(raw: mysql.Connection, settings: string): Promise<Client> {
    const rows = lastRows(await ask(raw, { sql: `${settings} ${FACTS_SQL}`, typeCast: asText }));
    return new Client(raw, readFacts(rows as unknown as readonly VariableRow[]));
  }

  /** The server's number of the connection, for KILL. */
  get threadId(): number {
    return this.raw.threadId ?? 0;
  }

  /** Whether something was asked of the server that has not come. */
  get awaits(): boolean {
    const { _command: atWork } = this.raw as unknown as { readonly _command?: unknown };
    return atWork !== undefined && atWork !== null;
  }

  /** False once the connection is of no use. */
  get usable(): boolean {
    return !this.#ended && !socketOf(this.raw).destroyed;
  }

  /** Rows of the last statement that returns some; every value as UTF-8 text or null. */
  async query<Row>(sql: string, values?: readonly unknown[]): Promise<readonly Row[]> {
    return lastRows(await ask(this.raw, { sql, values, typeCast: asText })) as readonly Row[];
  }

  /** As query(), every value as the bytes that the server sent, or null. */
  async queryBytes<Row>(sql: string, values?: readonly unknown[]): Promise<readonly Row[]> {
    return lastRows(await ask(this.raw, { sql, values, typeCast: asBytes })) as readonly Row[];
  }

  async execute(sql: string, values?: readonly unknown[]): Promise<Execution> {
    const answer = await ask(this.raw, { sql, values, typeCast: asText });
    let affectedRows = 0;
    let warnings = 0;
    let info = "";
    for (const result of resultsOf(answer)) {
      if (Array.isArray(result)) continue;
      affectedRows += result.affectedRows;
      warnings += result.warningStatus;
      info = result.info;
    }
    return { affectedRows, info, warnings };
  }

  /** Says goodbye and resolves when the connection is closed. */
  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    const socket = socketOf(this.raw);
    if (socket.destroyed) return;
    const timer = setTimeout(() => socket.destroy(), GOODBYE_MS);
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    this.raw.end(() => undefined);
    await closed;
    clearTimeout(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }

  /** Cuts the connection without a word to the server; what it runs fails with `connect.lost`. */
  destroy(): void {
    this.#ended = true;
    socketOf(this.raw).destroy();
  }
}

/** The driver's socket; under TLS the secured one. */
export function socketOf(raw: mysql.Connection): import("node:net").Socket {
  return (raw as unknown as { readonly stream: import("node:net").Socket }).stream;
}

interface Question {
  readonly sql: string;
  readonly values?: readonly unknown[] | undefined;
  readonly typeCast: Cast;
}

type Cast = (field: Field) => unknown;
type Field = Parameters<Exclude<mysql.QueryOptions["typeCast"], boolean | undefined>>[0];
type Answer =
  | mysql.RowDataPacket[]
  | mysql.ResultSetHeader
  | (mysql.RowDataPacket[] | mysql.ResultSetHeader)[];

interface Asked {
  readonly answer: Answer;
  /** Whether the text held several statements. */
  readonly several: boolean;
}

const asText: Cast = (field) => field.string("utf8");
const asBytes: Cast = (field) => field.buffer();

function ask(raw: mysql.Connection, { sql, values, typeCast }: Question): Promise<Asked> {
  return new Promise((resolve, reject) => {
    const options = { sql, typeCast, ...(values === undefined ? {} : { values: [...values] }) };
    raw.query<mysql.RowDataPacket[]>(options as mysql.QueryOptions, (error, rows, fields) => {
      if (error !== null) return reject(error);
      // Of several results the driver gives a list of field lists, undefined for those without rows.
      const several =
        Array.isArray(fields) && fields.some((field) => field === undefined || Array.isArray(field));
      resolve({ answer: rows, several });
    });
  });
}

function resultsOf({ answer, several }: Asked): readonly (mysql.RowDataPacket[] | mysql.ResultSetHeader)[] {
  return several
    ? (answer as (mysql.RowDataPacket[] | mysql.ResultSetHeader)[])
    : [answer as mysql.RowDataPacket[]];
}

function lastRows(asked: Asked): readonly mysql.RowDataPacket[] {
  return resultsOf(asked).findLast((result) => Array.isArray(result)) ?? [];
}
