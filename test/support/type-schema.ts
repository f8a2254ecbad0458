const NO_INPUT = "the server takes no input for it";

/** Types that a table can hold but nobody has columns of; each with the reason it is not tried. */
export const untriedTypes: Readonly<Record<string, string>> = Object.fromEntries(
  [
    ...["pg_node_tree", "pg_ndistinct", "pg_dependencies", "pg_mcv_list"],
    ...["pg_brin_bloom_summary", "pg_brin_minmax_multi_summary", "gtsvector"],
    // What extensions keep in their indexes.
    ...["gbtreekey2", "gbtreekey4", "gbtreekey8", "gbtreekey16", "gbtreekey32", "gbtreekey_var"],
    ...["ghstore", "gtrgm", "intbig_gkey", "ltree_gist"],
  ].map((name) => [name, NO_INPUT]),
);

const extensions = "citext, hstore, ltree, cube, earthdistance, seg, isn, intarray, lo";

/** The types that the samples use, and the extensions; in the schema "types". */
export const typeSchema = `
${extensions
  .split(", ")
  .map((name) => `create extension if not exists ${name};`)
  .join(" ")}
create schema types;
create type types.mood as enum ('sad', 'it''s ok', '', 'ünïcödé 😀');
create type types.pair as (a integer, b text);
create domain types.positive as integer check (value > 0);
create domain types.very_positive as types.positive check (value > 10);
create domain types.moods as types.mood[];
create type types.nest as (p types.pair, ps types.pair[], m types.mood, n types.very_positive, xs numeric[]);
create type types.names as range (subtype = text, collation = "C");
create type types.steps as range (subtype = numeric);
create table types.plain (id integer primary key, v text);
`;
