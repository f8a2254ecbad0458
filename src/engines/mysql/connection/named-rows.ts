import { MigrationError } from "../../../core/error.ts";
import { isEof, readTextRow, throwIfError } from "./result-head.ts";
import type { WireSession } from "./wire-session.ts";

/** Rows of a short query by the names of their columns; throws ServerError, after which the session is ready again. */
export async function namedRows(
  wire: WireSession,
  sql: string,
): Promise<readonly Readonly<Record<string, string | null>>[]> {
  await wire.ask(sql);
  const head = await wire.head();
  if (!isColumns(head)) {
    throw new MigrationError("source.protocol", { message: "A query was not answered by rows." });
  }
  const names = head.map(({ name }) => name);
  const rows: Record<string, string | null>[] = [];
  for (;;) {
    await wire.packets.read();
    throwIfError(wire.packets);
    if (isEof(wire.packets)) return rows;
    const values = readTextRow(wire.packets);
    rows.push(Object.fromEntries(names.map((name, i) => [name, values[i] ?? null])));
  }
}

type Head = Awaited<ReturnType<WireSession["head"]>>;

function isColumns(head: Head): head is Extract<Head, readonly unknown[]> {
  return Array.isArray(head);
}
