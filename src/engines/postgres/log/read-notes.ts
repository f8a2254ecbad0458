import type pg from "pg";
import type { TableSchema } from "../../../core/schema.ts";
import type { SchemaNote } from "../../../core/schema-note.ts";
import { serverVersion } from "../catalog/catalog.ts";
import { SAFE_PATH } from "../catalog/catalog-query.ts";
import { readTypes } from "../catalog/catalog-types.ts";
import { withSent } from "../catalog/sent-columns.ts";
import { describeNote, type NoteText } from "./pgoutput-note.ts";

/** See Source.describeNoted. Types are looked up as they are now; one that is gone is opaque. */
export async function describeNoted(
  client: pg.Client,
  notes: readonly SchemaNote[],
): Promise<readonly TableSchema[]> {
  const texts = notes.map(({ text }) => JSON.parse(text) as NoteText);
  const oids = texts.flatMap(({ columns }) => columns.map(({ type }) => type));
  // jit: see describe().
  await client.query(
    `begin transaction read only; set local jit = off; set local search_path = ${SAFE_PATH}`,
  );
  const { native } = await readTypes(client, "select unnest($1::oid[])", [oids]);
  const version = await serverVersion(client);
  await client.query("commit");
  return texts.map((note) =>
    withSent(describeNote(note, native), { serverVersion: version, rowsOnly: false }),
  );
}
