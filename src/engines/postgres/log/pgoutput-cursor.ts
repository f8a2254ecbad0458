import { MigrationError } from "../../../core/error.ts";

const TWO_32 = 4_294_967_296;

/** Reads one message; every read is held against the message's end and throws `source.protocol` beyond it. */
export class MessageCursor {
  bytes: Buffer = Buffer.alloc(0);
  at = 0;
  end = 0;

  reset(bytes: Buffer, start: number, end: number): void {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  need(count: number): void {
    if (count > this.end - this.at) throw malformed("cut short");
  }

  advance(count: number): void {
    this.need(count);
    this.at += count;
  }

  expectEnd(): void {
    if (this.at !== this.end) throw malformed("a message longer than its contents");
  }

  byte(): number {
    this.need(1);
    return this.bytes[this.at++]!;
  }

  uint16(): number {
    this.need(2);
    this.at += 2;
    return this.bytes.readUInt16BE(this.at - 2);
  }

  uint32(): number {
    this.need(4);
    this.at += 4;
    return this.bytes.readUInt32BE(this.at - 4);
  }

  /** Exact up to 2^53, enough for the server's microseconds. */
  int64(): number {
    this.need(8);
    this.at += 8;
    return this.bytes.readInt32BE(this.at - 8) * TWO_32 + this.bytes.readUInt32BE(this.at - 4);
  }

  string(): string {
    const stop = this.bytes.indexOf(0, this.at);
    if (stop < 0 || stop >= this.end) throw malformed("cut short");
    const text = this.bytes.toString("utf8", this.at, stop);
    this.at = stop + 1;
    return text;
  }
}

export function malformed(what: string): MigrationError {
  return new MigrationError("source.protocol", { message: `The change stream is malformed: ${what}.` });
}

/** A slot made with two_phase sends prepared transactions to any client; see "two_phase" in the manual. */
export function unknownTag(tag: number): MigrationError {
  const letter = String.fromCharCode(tag);
  if (!"bPKrp".includes(letter)) return malformed("a message of unknown kind");
  return new MigrationError("source.protocol", {
    message: "The slot sends prepared transactions before they commit.",
    remedy: "Use a slot that was made without two_phase, or leave SlotName out.",
  });
}
