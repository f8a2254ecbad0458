import type { Socket } from "node:net";
import { uint } from "./binlog-events.ts";

/* Packets of MySQL's protocol as a server reads and writes them ("Protocol Basics" of the source documentation). */

export const Status = { autocommit: 2, moreResults: 8 } as const;

/** One connection's packets; upgrade() goes on with them over another socket. */
export class ServerPackets {
  #socket: Socket;
  #arrived: Buffer = Buffer.alloc(0);
  #sequence = 0;
  #wake: (() => void) | undefined;
  #hasEnded = false;
  readonly #onData = (bytes: Buffer): void => {
    this.#arrived = Buffer.concat([this.#arrived, bytes]);
    this.#wake?.();
  };
  readonly #onEnd = (): void => {
    this.#hasEnded = true;
    this.#wake?.();
  };

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#listen();
  }

  /** The next packet's payload; undefined when the other side has gone. */
  async read(): Promise<Buffer | undefined> {
    for (;;) {
      const length = this.#arrived.length < 4 ? undefined : this.#arrived.readUIntLE(0, 3);
      if (length !== undefined && this.#arrived.length >= 4 + length) {
        const payload = this.#arrived.subarray(4, 4 + length);
        this.#sequence = this.#arrived[3]! + 1;
        this.#arrived = this.#arrived.subarray(4 + length);
        return payload;
      }
      if (this.#hasEnded) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  write(...payloads: readonly Buffer[]): void {
    for (const payload of payloads) {
      this.#socket.write(Buffer.concat([uint(payload.length, 3), uint(this.#sequence++ & 0xff, 1), payload]));
    }
  }

  /** A greeting has the number 0. */
  greet(payload: Buffer): void {
    this.#sequence = 0;
    this.write(payload);
  }

  upgrade(secure: (socket: Socket) => Socket): void {
    const plain = this.#socket;
    plain.off("data", this.#onData);
    plain.pause();
    // What has come already is the other side's first message over the new one.
    if (this.#arrived.length > 0) plain.unshift(this.#arrived);
    this.#arrived = Buffer.alloc(0);
    this.#socket = secure(plain);
    this.#listen();
  }

  end(): void {
    this.#socket.destroy();
  }

  #listen(): void {
    this.#socket.on("data", this.#onData);
    for (const event of ["close", "error"]) this.#socket.on(event, this.#onEnd);
  }
}

/** A text of less than 64 KB behind its length. */
export function sized(text: string | Buffer): Buffer {
  const bytes = Buffer.from(text as string);
  const length =
    bytes.length < 251 ? uint(bytes.length, 1) : Buffer.concat([uint(252, 1), uint(bytes.length, 2)]);
  return Buffer.concat([length, bytes]);
}

export function okPacket(status: number = Status.autocommit): Buffer {
  return Buffer.concat([uint(0, 3), uint(status, 2), uint(0, 2)]);
}

export function errorPacket(number: number, state: string, message: string): Buffer {
  return Buffer.concat([uint(0xff, 1), uint(number, 2), Buffer.from(`#${state}${message}`)]);
}

export type Row = Readonly<Record<string, string | null>>;

/** Packets of a result: how many columns, each of them, an end, the rows, an end. Without rows there are no columns. */
export function resultPackets(columns: readonly string[], rows: readonly Row[], status: number): Buffer[] {
  const end = Buffer.concat([uint(0xfe, 1), uint(0, 2), uint(status, 2)]);
  return [
    uint(columns.length, 1),
    ...columns.map((name) =>
      Buffer.concat([
        ...["def", "", "", "", name, name].map(sized),
        ...[uint(12, 1), uint(45, 2), uint(1024, 4), uint(253, 1), uint(0, 2), uint(0, 1), uint(0, 2)],
      ]),
    ),
    end,
    ...rows.map((row) =>
      Buffer.concat(columns.map((name) => (row[name] == null ? uint(0xfb, 1) : sized(row[name])))),
    ),
    end,
  ];
}
