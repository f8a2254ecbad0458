import type { EndpointConfig } from "../core/engine.ts";
import { asMigrationError, MigrationError } from "../core/error.ts";
import { displayTable, type TableId } from "../core/schema.ts";
import { colorPaint, type Paint, plainPaint } from "./paint.ts";
import { displayWidth, fit, printable } from "./text-width.ts";

/** What a command writes to; the process's streams, or a test's. */
export interface Output {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
}

export interface TextStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/** A fault that another program reported under a code of its own, such as the API's. */
export class ReportedFault extends Error {
  readonly code: string;
  readonly remedy: string | undefined;

  constructor(code: string, message: string, remedy?: string) {
    super(message);
    this.name = "ReportedFault";
    this.code = code;
    this.remedy = remedy;
  }
}

/** `error <code>: message` and, on a line of its own, `remedy: ...`. Never a stack, unless TIDEWAY_DEBUG is set. */
export function errorLines(error: unknown): string {
  const fault = error instanceof ReportedFault ? error : asMigrationError(error);
  const subject = fault instanceof MigrationError ? fault.subject : undefined;
  const about = subject === undefined || fault.message.includes(subject) ? "" : ` (${printable(subject)})`;
  const native = fault instanceof MigrationError ? fault.nativeCode : undefined;
  const code =
    native === undefined || fault.message.includes(native) ? "" : ` [server code ${printable(native)}]`;
  const remedy = fault.remedy === undefined ? "" : `remedy: ${printable(fault.remedy)}\n`;
  return `error ${fault.code}: ${printable(fault.message)}${about}${code}\n${remedy}${debugLines(fault)}`;
}

/** Causes may hold row values, so they are shown only to who asks for them. */
function debugLines(error: Error): string {
  if (process.env["TIDEWAY_DEBUG"] === undefined) return "";
  const cause = error.cause instanceof Error ? `${error.cause.stack}\n` : "";
  return `${error.stack}\n${cause}`;
}

/** A terminal on which lines can be drawn anew in their place. */
export function isLive(stream: TextStream): boolean {
  return stream.isTTY === true && process.env["TERM"] !== "dumb";
}

/** Colours where they are welcome: on a terminal, when NO_COLOR (no-color.org) is not set. */
export function paintFor(stream: TextStream): Paint {
  const refused = process.env["NO_COLOR"];
  return isLive(stream) && (refused === undefined || refused === "") ? colorPaint : plainPaint;
}

export interface TextColumn {
  readonly title: string;
  readonly align?: "left" | "right";
}

/** Aligned columns, two spaces apart, without trailing blanks. Cells are made printable. */
export function textTable(columns: readonly TextColumn[], rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => columns.map((_, i) => printable(row[i] ?? "")));
  const widths = columns.map((column, i) =>
    cells.reduce((width, row) => Math.max(width, displayWidth(row[i]!)), displayWidth(column.title)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => fit(cell, widths[i]!, columns[i]!.align ?? "left"))
      .join("  ")
      .trimEnd();
  return `${[line(columns.map((column) => column.title)), ...cells.map(line)].join("\n")}\n`;
}

/** `name: value` lines, values under each other. */
export function textFields(fields: readonly (readonly [string, string])[]): string {
  const width = fields.reduce((longest, [name]) => Math.max(longest, name.length), 0);
  return fields.map(([name, value]) => `${fit(name, width)}  ${printable(value)}\n`).join("");
}

/** How a table is named on screens, with its name on the target where that is another. */
export function tableLabel(source: TableId, target: TableId): string {
  const [from, to] = [displayTable(source), displayTable(target)];
  return from === to ? from : `${from} → ${to}`;
}

/** How an endpoint is named on screens: never with its password. */
export function endpointLabel(endpoint: EndpointConfig): string {
  const host = endpoint.host.includes(":") ? `[${endpoint.host}]` : endpoint.host;
  const place = `${host}:${endpoint.port}`;
  return endpoint.database === "" ? place : `${endpoint.database}@${place}`;
}
