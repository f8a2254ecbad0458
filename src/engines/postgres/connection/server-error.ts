/** Fields of an ErrorResponse or NoticeResponse (protocol manual, "Error and Notice Message Fields"). */
export interface ServerErrorFields {
  readonly severity: string;
  /** SQLSTATE. */
  readonly code: string;
  readonly message: string;
  readonly detail: string | undefined;
  /** Call stack of functions, or the row of a COPY. */
  readonly where: string | undefined;
  readonly schema: string | undefined;
  readonly table: string | undefined;
  readonly column: string | undefined;
  readonly constraint: string | undefined;
  /** Of the server's source code, or an extension's. */
  readonly file?: string | undefined;
}

/** What the server said went wrong. Its texts may hold row values: classify() decides what is shown. */
export class ServerError extends Error {
  readonly fields: ServerErrorFields;

  constructor(fields: ServerErrorFields) {
    super(`SQLSTATE ${fields.code}`);
    this.name = "ServerError";
    this.fields = fields;
  }
}

/** True when the server ends the session after this error. */
export function isFatal(error: ServerError): boolean {
  return error.fields.severity === "FATAL" || error.fields.severity === "PANIC";
}

/** Reads the body of an ErrorResponse: zero-terminated strings, each after its field's letter. */
export function readServerError(bytes: Buffer, start: number, end: number): ServerError {
  const fields = new Map<string, string>();
  let at = start;
  while (at < end && bytes[at] !== 0) {
    const letter = String.fromCharCode(bytes[at]!);
    const stop = bytes.indexOf(0, at + 1);
    fields.set(letter, bytes.toString("utf8", at + 1, stop));
    at = stop + 1;
  }
  return new ServerError({
    severity: fields.get("V") ?? fields.get("S") ?? "ERROR",
    code: fields.get("C") ?? "XX000",
    message: fields.get("M") ?? "",
    detail: fields.get("D"),
    where: fields.get("W"),
    schema: fields.get("s"),
    table: fields.get("t"),
    column: fields.get("c"),
    constraint: fields.get("n"),
    file: fields.get("F"),
  });
}
