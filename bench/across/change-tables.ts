import type { AcrossTable } from "./tables.ts";

/** Changes of an application to tables of one shape. */
export interface AcrossWorkload {
  readonly tables: readonly AcrossTable[];
  /** At scale 1: how often all of the five transactions come, of four changes each. */
  readonly units: number;
  readonly rowsPerUnit: number;
  /** In MariaDB's SQL. */
  readonly changes: (units: number) => string;
}

const TRANSACTIONS = 5;
const CHANGES = 4;

function changedTable(name: string, rows: number): AcrossTable {
  const texts = "id, n, note";
  return {
    name,
    rows,
    mariadb: {
      columns: "id integer not null primary key, n bigint not null, note varchar(100)",
      row: "g, 0, concat('row ', g)",
      texts,
    },
    postgres: {
      columns: "id integer not null primary key, n bigint not null, note varchar(100)",
      row: "g, 0, 'row ' || g",
      texts,
    },
  };
}

function workload(tables: readonly AcrossTable[], units: number): AcrossWorkload {
  return {
    tables,
    units,
    rowsPerUnit: TRANSACTIONS * CHANGES,
    changes: (count) => `begin not atomic declare i bigint default 0;
      while i < ${count} do set i = i + 1; ${transactions(tables)} end while; end`,
  };
}

/** Three updates and an insert each. */
function transactions(tables: readonly AcrossTable[]): string {
  return Array.from({ length: TRANSACTIONS }, (_, transaction) => {
    const statements = Array.from({ length: CHANGES }, (__, change) => {
      const place = transaction * CHANGES + change;
      const { name, rows } = tables[place % tables.length]!;
      return change === CHANGES - 1
        ? `insert into ${name} values (${rows} + i * ${TRANSACTIONS} + ${transaction}, i, concat('new ', i));`
        : `update ${name} set n = n + 1, note = concat('changed ', i) where id = (i * 7919 + ${place * 31}) % ${rows} + 1;`;
    });
    return `start transaction; ${statements.join(" ")} commit;`;
  }).join("\n");
}

export const manyTables: AcrossWorkload = workload(
  Array.from({ length: TRANSACTIONS * CHANGES }, (_, i) =>
    changedTable(`small_${String(i + 1).padStart(2, "0")}`, 5000),
  ),
  15_000,
);

export const hotTable: AcrossWorkload = workload([changedTable("hot", 100_000)], 15_000);

/** The last transaction sets `n`: a target that has it has everything. */
export const marker: AcrossTable = changedTable("marker", 1);
export const SET_MARKER = "update marker set n = 1 where id = 1";
