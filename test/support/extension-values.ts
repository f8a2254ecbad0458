import type { TypeSample } from "./type-values.ts";

/** Types of the extension isn, each with a number and one that its check digit contradicts. */
const numbers: Readonly<Record<string, readonly [right: string, wrong: string]>> = {
  ean13: ["'220-000000000-2'", "'2200000000001!'"],
  isbn: ["'0-393-04002-X'", "'0393040021!'"],
  isbn13: ["'978-0-393-04002-9'", "'9780393040021!'"],
  ismn: ["'M-060-11561-5'", "'M060115611!'"],
  ismn13: ["'979-0-060-11561-5'", "'9790060115611!'"],
  issn: ["'1436-4522'", "'14364521!'"],
  issn13: ["'977-1436-452-00-8'", "'9771436452001!'"],
  upc: ["'220000000002'", "'220000000001!'"],
};

function isn(type: string): TypeSample {
  const [right, wrong] = numbers[type]!;
  return { type, random: right, edges: [wrong] };
}

/** Of the types that the extensions among PostgreSQL's own modules bring along. */
export const extensionSamples: readonly TypeSample[] = [
  { type: "citext", random: "md5(i::text)", edges: ["'MiXed'", "''"] },
  { type: "hstore", random: "hstore('k' || i, md5(i::text))", edges: ["''", '\'a=>NULL,"b \\""=>"=>"\''] },
  { type: "ltree", random: "('top.n' || i)::ltree", edges: ["''", "'a.b.c'"] },
  { type: "lquery", random: "('*.n' || i || '@')::lquery", edges: ["'a.*{1,3}.!b|c%'"] },
  { type: "ltxtquery", random: "('n' || i || ' & !x*@')::ltxtquery", edges: ["'a_b% | (c & !d)'"] },
  { type: "query_int", random: "(i || '&!(5|7)')::query_int", edges: ["'1'", "'-2147483648|2147483647'"] },
  {
    type: "earth",
    random: "ll_to_earth(random() * 180 - 90, random() * 360 - 180)",
    edges: ["ll_to_earth(90, 0)"],
  },
  { type: "lo", random: "i", edges: ["0", "'4294967295'"] },
  { type: "cube", random: "cube(random(), 1 + random())", edges: ["'(0)'", "'(1,2),(3,4)'"] },
  { type: "seg", random: "(i || ' .. ' || i + 2)::seg", edges: ["'~1.50'", "'1(+-)0.20'"] },
  ...Object.keys(numbers).map(isn),
];
