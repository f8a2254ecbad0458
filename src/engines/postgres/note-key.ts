import { literal, qualified } from "../shared/identifier.ts";

/** Schema of the key alone: nobody but its owner can put something else in the key's place there. */
export const KEY_SCHEMA = "tideway_notes";

/**
 * A materialized view: a publication of all tables has no tables of Tideway's in it. A copy of the schema alone brings it
 * without its row, which counts as none.
 */
const KEY_VIEW = "note_key";

const KEY_OF = `from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = ${literal(KEY_SCHEMA)} and c.relname = ${literal(KEY_VIEW)} and c.relkind = 'm' and c.relispopulated`;

/**
 * What only the function behind the event triggers and who may read the key can write before a note: anybody may
 * write messages into the log, of any prefix.
 */
export const KEY_SQL = `select key from ${qualified({ schema: KEY_SCHEMA, name: KEY_VIEW })}`;

/** SQL that is true when the key is there and belongs, as its schema does, to the role `owner`. */
export function hasKeySql(owner: string): string {
  return `exists (select ${KEY_OF} and c.relowner = ${owner} and n.nspowner = ${owner})`;
}

/** SQL that is true when the key is there and this session may read it. */
export const MAY_READ_KEY = `exists (select ${KEY_OF}
  and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select'))`;

/** SQL that is true when the schema is one that this session's role has not made, nor a superuser. */
export const IS_KEY_FOREIGN = `exists (select from pg_namespace n join pg_roles r on r.oid = n.nspowner
  where n.nspname = ${literal(KEY_SCHEMA)} and not r.rolsuper and r.rolname <> current_user)`;

export const DROP_KEY = `drop schema if exists ${KEY_SCHEMA} cascade`;

/** The server makes it up, so that no log of statements holds it. */
export const MAKE_KEY: readonly string[] = [
  DROP_KEY,
  `create schema ${KEY_SCHEMA}`,
  `create materialized view ${KEY_SCHEMA}.${KEY_VIEW} as select gen_random_uuid()::text as key`,
  // Default privileges may say otherwise.
  `revoke all on ${KEY_SCHEMA}.${KEY_VIEW} from public`,
];
