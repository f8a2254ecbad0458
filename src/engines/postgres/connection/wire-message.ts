import { HEADER_LENGTH } from "./message-reader.ts";

/** Message types used here (protocol manual, "Message Formats"). */
export const Message = {
  bindComplete: 0x32,
  closeComplete: 0x33,
  commandComplete: 0x43,
  copyBoth: 0x57,
  copyData: 0x64,
  copyDone: 0x63,
  copyFail: 0x66,
  copyIn: 0x47,
  copyOut: 0x48,
  dataRow: 0x44,
  emptyQuery: 0x49,
  error: 0x45,
  noData: 0x6e,
  notice: 0x4e,
  notification: 0x41,
  parameterStatus: 0x53,
  parseComplete: 0x31,
  query: 0x51,
  ready: 0x5a,
  rowDescription: 0x54,
} as const;

/** Ends a series of messages of the extended protocol: after an error what follows counts again. */
export const SYNC = Buffer.from([0x53, 0, 0, 0, 4]);

export const COPY_DONE = Buffer.from([Message.copyDone, 0, 0, 0, 4]);

/** Messages that may come between any two others: notices, changed settings, notifications. */
export function isAside(type: number): boolean {
  return type === Message.notice || type === Message.parameterStatus || type === Message.notification;
}

/** A statement, or several, of the simple protocol. */
export function queryMessage(sql: string): Buffer {
  const length = Buffer.byteLength(sql);
  const message = Buffer.allocUnsafe(HEADER_LENGTH + length + 1);
  message[0] = Message.query;
  message.writeInt32BE(4 + length + 1, 1);
  message.write(sql, HEADER_LENGTH, "utf8");
  message[HEADER_LENGTH + length] = 0;
  return message;
}

/** The values of a DataRow whose body starts at `start`. */
export function readTextRow(bytes: Buffer, start: number): (string | null)[] {
  const count = bytes.readInt16BE(start);
  const row: (string | null)[] = new Array(count);
  let at = start + 2;
  for (let i = 0; i < count; i++) {
    const length = bytes.readInt32BE(at);
    at += 4;
    if (length < 0) {
      row[i] = null;
    } else {
      row[i] = bytes.toString("utf8", at, at + length);
      at += length;
    }
  }
  return row;
}
