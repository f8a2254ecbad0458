import type { EndpointConfig } from "../../../core/engine.ts";
import { type TableSchema, tableKey } from "../../../core/schema.ts";
import { describeColumns } from "../catalog/catalog-columns.ts";
import { charsetsOf, readCharsets, readCollations } from "../catalog/charset-facts.ts";
import { fillOf } from "../catalog/fill-text.ts";
import { describeReferred } from "../catalog/referred-tables.ts";
import { typeChoices } from "../catalog/type-map.ts";
import type { Client } from "../connection/client.ts";
import { ValueCounts } from "../values/value-counts.ts";
import { zeroDatesOf } from "../values/zero-dates.ts";
import type { RowFacts } from "./binlog-row-plan.ts";
import { globalVariables } from "./log-state.ts";

/** What must be known to read the rows of tables in the log, as the server has it now. */
export async function readRowFacts(
  client: Client,
  endpoint: EndpointConfig,
  tables: readonly TableSchema[],
): Promise<RowFacts> {
  const outside = await describeReferred(client, tables, typeChoices(endpoint));
  // What the log says of columns may be older than a conversion to another set.
  const tellsCharsets =
    (await globalVariables(client, ["binlog_row_metadata"])).get("binlog_row_metadata")?.toUpperCase() ===
    "FULL";
  return {
    outside,
    foldsNames: client.facts.lowerCaseTableNames !== 0,
    zeroDates: zeroDatesOf(endpoint),
    zeroDateCounts: new ValueCounts(),
    charsets: await readCharsets(client, tellsCharsets ? "all" : charsetsOf([...tables, ...outside])),
    collations: await readCollations(client),
    defaults: await readDefaults(client, tables),
  };
}

/** Rows are logged whole where binlog_row_image is FULL, so that no default is needed. */
async function readDefaults(client: Client, tables: readonly TableSchema[]): Promise<RowFacts["defaults"]> {
  const [row] = await client.query<{ readonly image: string }>("select @@global.binlog_row_image as image");
  if (row?.image.toUpperCase() === "FULL") return new Map();
  // Values are written as the types say that the tables were described with.
  const choices = { booleans: false, timesOfDay: false };
  const ids = tables.map(({ id }) => id);
  const found = await describeColumns(client, ids, { choices, json: new Map() });
  return new Map(
    tables.map(({ id, columns, shape }) => {
      const described = new Map(columns.map((column) => [column.name, column]));
      const values = (found.get(tableKey(id)) ?? []).flatMap((one) => {
        const column = described.get(one.column.name);
        if (column === undefined) return [];
        const { fill, varies } = fillOf({ ...one, column: { ...one.column, type: column.type } });
        // Another one than when the table was described: where in the log it became that is not known.
        const isAnother = column.default !== one.column.default || column.nullable !== one.column.nullable;
        const isOther =
          isAnother || shape?.columns.some((was) => was.name === column.name && was.fill !== fill) === true;
        return varies === true || isOther ? [] : [[column.name, fill] as const];
      });
      return [tableKey(id), new Map(values)] as const;
    }),
  );
}
