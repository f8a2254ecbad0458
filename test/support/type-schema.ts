/** Types of pg_catalog that a table can hold but nobody has columns of; each with the reason it is not tried. */
export const untriedTypes: Readonly<Record<string, string>> = {
  pg_node_tree: "the server takes no input for it",
  pg_ndistinct: "the server takes no input for it",
  pg_dependencies: "the server takes no input for it",
  pg_mcv_list: "the server takes no input for it",
  pg_brin_bloom_summary: "the server takes no input for it",
  pg_brin_minmax_multi_summary: "the server takes no input for it",
  gtsvector: "the server takes no input for it",
};

/** The types that the samples use, and the extensions; in the schema "types". */
export const typeSchema = `
create extension citext; create extension hstore; create extension ltree; create extension cube; create extension seg; create extension isn;
create schema types;
create type types.mood as enum ('sad', 'it''s ok', '', 'ünïcödé 😀');
create type types.pair as (a integer, b text);
create domain types.positive as integer check (value > 0);
create domain types.very_positive as types.positive check (value > 10);
create domain types.moods as types.mood[];
create type types.nest as (p types.pair, ps types.pair[], m types.mood, n types.very_positive, xs numeric[]);
create type types.names as range (subtype = text, collation = "C");
create type types.steps as range (subtype = numeric);
create table types.plain (id integer primary key);
`;
