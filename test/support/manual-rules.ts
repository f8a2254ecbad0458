/* What the examples of AWS's manual are made of, and the table that they are about. */

export interface ManualExample {
  readonly what: string;
  readonly rules: readonly object[];
  /** The table on the target, and its columns. */
  readonly made: string;
  /** The first row there, as PostgreSQL shows one: with commas between its values, and nothing for NULL. */
  readonly first: string;
  /** Which rows come; left out: all. */
  readonly filtered?: FilteredRows;
}

interface FilteredRows {
  /** The plan's filter, as JSON. */
  readonly by: string;
  /** The `empid` of those of EMPLOYEES. */
  readonly kept: readonly number[];
}

/** The examples' table, with rows for their filters to tell apart, in a PostgreSQL server's SQL. */
export const EMPLOYEES = `
  create table employee (
    empid int not null, dept varchar(64), empstartdate date, "Pre_1" varchar(64), col1 varchar(64),
    "SALE_AMOUNT" decimal(12, 2));
  insert into employee values
    (10, 'a1', '2001-12-31', 'p', 'c', 0.5), (11, 'b', '2002-01-01', 'p', null, 1.25), (50, 'c', null, null, 'c', 2),
    (75, 'd', '2024-02-29', 'p', 'c', null), (76, 'e', '1999-01-01', 'p', 'c', 99), (100, 'f', '2002-01-02', 'p', 'c', 7)`;

export function selecting(schema: string, name = "%", more: object = {}): object {
  return {
    ...{ "rule-type": "selection", "rule-id": "1", "rule-name": "1", "rule-action": "include" },
    "object-locator": { "schema-name": schema, "table-name": name },
    ...more,
  };
}

export function transforming(
  target: string,
  action: string,
  locator: readonly string[],
  more: object = {},
): object {
  const [schema, name, of] = locator;
  return {
    ...{
      "rule-type": "transformation",
      "rule-id": "2",
      "rule-name": "2",
      "rule-target": target,
      "rule-action": action,
    },
    "object-locator": {
      "schema-name": schema,
      ...(name === undefined ? {} : { "table-name": name }),
      ...(of === undefined ? {} : { "column-name": of }),
    },
    ...more,
  };
}

export function filtered(name: string, ...conditions: readonly object[]): object {
  return { "filter-type": "source", "column-name": name, "filter-conditions": conditions };
}

/** Its columns. */
export const ALL = "empid dept empstartdate Pre_1 col1 SALE_AMOUNT";

/** Its first row. */
export const FIRST = "10,a1,2001-12-31,p,c,0.50";
