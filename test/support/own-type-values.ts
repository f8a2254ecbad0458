import type { TypeSample } from "./type-values.ts";

/** Of types that people make themselves; see typeSchema. */
export const ownTypeSamples: readonly TypeSample[] = [
  {
    type: "types.mood",
    kind: "enums",
    random: "(array['sad', 'it''s ok', 'ünïcödé 😀'])[1 + i % 3]::types.mood",
    edges: ["''"],
  },
  {
    type: "types.pair",
    kind: "composite types",
    random: "row(i, md5(i::text))::types.pair",
    edges: ["row(null, '')", "row(null, null)", "row(1, E'a,\"b\\\\')"],
  },
  {
    type: "types.nest",
    kind: "composite types",
    random:
      "row(row(i, 'x')::types.pair, array[row(1, 'a'), null]::types.pair[], 'sad', i + 20, array[1.5, null])::types.nest",
    edges: ["row(null, '{}', null, 11, '[0:1]={1,2}')"],
  },
  { type: "types.very_positive", kind: "domains", random: "11 + i", edges: ["2147483647"] },
  { type: "types.moods", kind: "domains", random: "array['sad', null]::types.mood[]", edges: ["'{}'"] },
  {
    type: "types.names",
    kind: "range types",
    random: "types.names('a' || i, 'b' || i)",
    edges: ["'empty'", "'[,b)'", '\'["a,\\"b",c]\''],
  },
  {
    type: "types.steps",
    kind: "range types",
    random: "types.steps(i::numeric / 3, i)",
    edges: ["'(0.10,)'"],
  },
  {
    type: "types.names_multirange",
    kind: "multirange types",
    random: "types.names_multirange(types.names('a' || i, 'b' || i))",
    edges: ["'{}'", "'{[,a),[b,\"c,\")}'"],
    since: 14,
  },
  {
    type: "types.plain",
    kind: "row types of tables",
    random: "row(i, 'p' || i)::types.plain",
    edges: ["row(null, null)", "row(1, E'a,\"b\\\\')"],
  },
];
