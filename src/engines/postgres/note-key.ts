import { literal, qualified } from "../shared/identifier.ts";

/** Schema of the key alone: nobody but its owner can put something else in the key's place there. */
export const KEY_SCHEMA = "tideway_notes";

/**
 * A sequence, of which the key is the value: neither a publication of all tables has it in it, nor does it change with all
 * materialized views that somebody refreshes, nor may everybody read it as they may what views and functions are made of. A
 * copy of the schema alone brings it without its value, which counts as none.
 */
const KEY_SEQUENCE = "note_key";

const KEY_OF = `from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = ${literal(KEY_SCHEMA)} and c.relname = ${literal(KEY_SEQUENCE)} and c.relkind = 'S'`;

const MAY_READ = "has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')";

/**
 * What only the function behind the event triggers and who may read the key can write before a note: anybody may
 * write messages into the log, of any prefix.
 */
export const KEY_SQL = `select last_value::text as key from ${qualified({ schema: KEY_SCHEMA, name: KEY_SEQUENCE })} where is_called`;

/**
 * SQL that is true when the key is there and belongs, as its schema does, to the role `owner`. That it has a value, only
 * who may read it is told.
 */
export function hasKeySql(owner: string): string {
  return `exists (select ${KEY_OF} and c.relowner = ${owner} and n.nspowner = ${owner}
    and case when c.relkind = 'S' and ${MAY_READ} then pg_sequence_last_value(c.oid) is not null else true end)`;
}

/** SQL that is true when the key is there and this session may read it. */
export const MAY_READ_KEY = `exists (select ${KEY_OF} and ${MAY_READ})`;

/** SQL that is true when the schema is one that this session's role has not made, nor a superuser. */
export const IS_KEY_FOREIGN = `exists (select from pg_namespace n join pg_roles r on r.oid = n.nspowner
  where n.nspname = ${literal(KEY_SCHEMA)} and not r.rolsuper and r.rolname <> current_user)`;

export const DROP_KEY = `drop schema if exists ${KEY_SCHEMA} cascade`;

/** 63 of the random bits of a UUID: of its 128 these are the first and the last 32. */
const RANDOM = `select ('x' || left(id, 8) || right(id, 8))::bit(64)::bigint & 9223372036854775807
  from (select gen_random_uuid()::text as id) as made`;

/** The server makes it up, so that no log of statements holds it. */
export const MAKE_KEY: readonly string[] = [
  DROP_KEY,
  `create schema ${KEY_SCHEMA}`,
  `create sequence ${KEY_SCHEMA}.${KEY_SEQUENCE} minvalue 0`,
  `select setval('${KEY_SCHEMA}.${KEY_SEQUENCE}', (${RANDOM}))`,
  // Default privileges may say otherwise.
  `revoke all on ${KEY_SCHEMA}.${KEY_SEQUENCE} from public`,
];
