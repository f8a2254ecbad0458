/** What a server's error packet says, or the driver in its place. */
export interface ServerErrorFields {
  /** The server's error number, e.g. 1062. */
  readonly number: number;
  /** SQLSTATE; HY000 when the server gives none. */
  readonly state: string;
  readonly message: string;
}

/** What the server said went wrong. Its text may hold row values: classify() decides what is shown. */
export class ServerError extends Error {
  readonly fields: ServerErrorFields;

  constructor(fields: ServerErrorFields) {
    super(`error ${fields.number} (SQLSTATE ${fields.state})`);
    this.name = "ServerError";
    this.fields = fields;
  }
}

/** Reads an ERR packet's payload, which begins with 0xff. */
export function readServerError(bytes: Buffer, start: number, end: number): ServerError {
  const number = bytes.readUInt16LE(start + 1);
  const hasState = bytes[start + 3] === 0x23;
  const at = start + (hasState ? 9 : 3);
  return new ServerError({
    number,
    state: hasState ? bytes.toString("latin1", start + 4, at) : "HY000",
    message: bytes.toString("utf8", at, end),
  });
}
