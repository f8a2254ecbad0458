import type pg from "pg";
import type { TableId } from "../src/core/schema.ts";
import { RuleNumbers } from "../test/support/mapping-rules.ts";
import type { TransactionKind } from "../test/support/workload-transactions.ts";

/*
 * A table whose rows go through rules, which leave some behind, change all of them, and give one column less room than some
 * values need: the target refuses these rows. What must be there in the end is what the same rules say in SQL.
 */

export const RULED_SCHEMA = "ruled";
const TARGET: TableId = { schema: RULED_SCHEMA, name: "people" };

/** Characters that the target's column has room for. */
const ROOM = 12;
const SHORT_NOTE = "fits";
const LONG_NOTE = "does not fit into its column";

const { selection, rule } = new RuleNumbers(RULED_SCHEMA);
const person = (column: string) => ({ "table-name": "person", "column-name": column });

/** The numbers are those from 1 on. */
export const RULES: readonly object[] = [
  selection("person", [
    {
      ...{ "filter-type": "source", "column-name": "region" },
      "filter-conditions": [{ "filter-operator": "noteq", value: "hidden" }],
    },
  ]),
  { ...rule({ "table-name": "person" }, "rename", { value: TARGET.name }), "rule-target": "table" },
  rule(person("name"), "rename", { value: "full_name" }),
  rule(person("card"), "data-masking-digits-mask", { value: "#" }),
  rule(person("note"), "change-data-type", { "data-type": { type: "string", length: ROOM } }),
  rule({ "table-name": "person" }, "add-column", {
    ...{ value: "label", expression: "$region || ':' || $id" },
    "data-type": { type: "string", length: 60 },
  }),
];

export const RULED_SQL = `
  create schema ${RULED_SCHEMA};
  create table ruled.person (id bigserial primary key, region text not null, name text not null, card text, note text not null);
  alter table ruled.person replica identity full;
  insert into ruled.person (region, name, card, note)
    select case when i % 5 = 0 then 'hidden' else 'region ' || i % 7 end, 'name ' || i, '4000 ' || i,
           case when i % 50 = 7 then '${LONG_NOTE}' else '${SHORT_NOTE}' end
      from generate_series(1, 2000) i`;

/** Rows that are refused stay as they are; the others change, come into the filter and leave it. */
export const ruledTransaction: TransactionKind = {
  name: "rows that go through rules, of which the target refuses some",
  weight: 6,
  async run(session) {
    const note = session.pick(10) === 1 ? LONG_NOTE : SHORT_NOTE;
    const region = session.pick(4) === 1 ? "hidden" : "region";
    await session.run(
      "insert into ruled.person (region, name, card, note) values ($1, 'late', '5000 ' || $2::int, $3)",
      [region, session.pick(1000), note],
    );
    const some = `id = $1 and note = '${SHORT_NOTE}'`;
    await session.run(`update ruled.person set card = card || '7', name = name || '+' where ${some}`, [
      session.pick(2000),
    ]);
    await session.run(`update ruled.person set region = $2 where ${some}`, [session.pick(2000), region]);
    await session.run(`delete from ruled.person where ${some}`, [session.pick(4000)]);
  },
};

/** A query whose rows are those of another one, counted and summed up. */
const summed = (query: string): string =>
  `select count(*)::int as rows, md5(string_agg(q::text, ';' order by q.id)) as sum from (${query}) q`;

const EXPECTED = `select id, region, name as full_name, regexp_replace(card, '[0-9]', '#', 'g') as card, note,
    region || ':' || id as label from ruled.person where region <> 'hidden'`;

export interface RuledVerdict {
  readonly rows: number;
  readonly refused: number;
  readonly problems: readonly string[];
}

/** Whether all rows are there as the rules make them, but for those that are refused, each of which is recorded once. */
export async function compareRuled(sides: Record<"source" | "target", pg.Client>): Promise<RuledVerdict> {
  const ask = async (side: pg.Client, sql: string) => (await side.query(sql)).rows[0];
  const expected = await ask(sides.source, summed(`${EXPECTED} and length(note) <= ${ROOM}`));
  const found = await ask(
    sides.target,
    summed(`select id, region, full_name, card, note, label from ${TARGET.schema}.${TARGET.name}`),
  );
  const refused = await ask(
    sides.source,
    summed(`select id from ruled.person where region <> 'hidden' and length(note) > ${ROOM}`),
  );
  const recorded = await ask(
    sides.target,
    summed(
      `select (substring("STATEMENT" from ' (\\{.*)')::json -> 'key' ->> 'id')::bigint as id
         from public.awsdms_apply_exceptions where "TABLE_OWNER" = '${TARGET.schema}' and "TABLE_NAME" = '${TARGET.name}'`,
    ),
  );
  const problems = [];
  if (found.sum !== expected.sum)
    problems.push(`ruled: ${found.rows} rows on the target, other ones or others than ${expected.rows}`);
  if (recorded.sum !== refused.sum)
    problems.push(`ruled: ${recorded.rows} rows are recorded, ${refused.rows} are to be refused`);
  return { rows: expected.rows, refused: refused.rows, problems };
}
