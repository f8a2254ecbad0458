import type { BenchTable } from "../data/tables.ts";
import { accounts, branches, documents, lineitem } from "../data/tables.ts";
import type { Profile } from "../profile.ts";
import type { Target } from "../target.ts";
import {
  dumpRestore,
  type LoadContender,
  pgcopydb,
  pipe,
  tidewayData,
  tidewayWhole,
  twoPipes,
} from "./load-contenders.ts";
import { loadProfile } from "./load-profile.ts";
import { mappedLineitem } from "./mapped-lineitem.ts";

/** PostgreSQL to PostgreSQL, full load. */

const singleTable =
  "One table without keys and indexes on either side; the target's exists before the run and stays as it is (do-nothing). The pipes read no common snapshot and do not analyze; Tideway does both.";

const wholeDatabase =
  "The target is an empty database; schema, rows, keys, indexes and constraints are compared. Tideway analyzes, pgcopydb vacuums and analyzes, pg_restore does neither.";

interface SingleTable {
  readonly name: string;
  readonly description: string;
  readonly table: BenchTable;
  readonly peers: readonly LoadContender[];
  readonly targets: readonly Target[];
}

function singleTableProfile({ name, description, table, peers, targets }: SingleTable): Profile {
  return loadProfile({
    ...{ name, description, targets },
    fairness: singleTable,
    minutes: 3,
    set: { tables: [table], keys: false },
    dataOnly: true,
    contenders: [tidewayData, ...peers],
  });
}

export const pgLoadProfiles: readonly Profile[] = [
  singleTableProfile({
    name: "pg-narrow",
    description: "pgbench's accounts, 5 million narrow rows",
    table: accounts,
    peers: [pipe(accounts.name)],
    targets: [],
  }),
  singleTableProfile({
    name: "pg-lineitem",
    description: "TPC-H's lineitem, 3 million rows of 16 mixed columns",
    table: lineitem,
    peers: [twoPipes(lineitem.name)],
    targets: [{ kind: "faster", metric: "wallS", peers: ["pipe x2"], limit: 0.95 }],
  }),
  singleTableProfile({
    name: "pg-wide",
    description: "300,000 rows of 1 KB text, jsonb and bytea",
    table: documents,
    peers: [pipe(documents.name)],
    targets: [],
  }),
  loadProfile({
    name: "pg-mapped",
    description: "TPC-H's lineitem with one column renamed, one masked and one made by an expression",
    fairness: "The same table without rules is loaded by the same command; the target is an empty database.",
    minutes: 4,
    set: { tables: [lineitem], keys: false },
    dataOnly: false,
    contenders: [mappedLineitem, { ...tidewayWhole, name: "without rules" }],
    targets: [{ kind: "faster", metric: "wallS", peers: ["without rules"], limit: 0.5 }],
  }),
  loadProfile({
    name: "pg-many",
    description: "2,000 small tables of 200 rows with primary keys",
    fairness: wholeDatabase,
    minutes: 25,
    set: { tables: [], many: { count: 2000, rowsEach: 200 }, keys: false },
    dataOnly: false,
    contenders: [tidewayWhole, pgcopydb, dumpRestore],
    targets: [{ kind: "faster", metric: "wallS", peers: ["pgcopydb"], limit: 1.3 }],
  }),
  loadProfile({
    name: "pg-database",
    description: "1.2 GB in 204 tables with primary keys, secondary indexes and foreign keys",
    fairness: wholeDatabase,
    minutes: 12,
    set: {
      tables: [accounts, lineitem, documents, branches],
      many: { count: 200, rowsEach: 1000 },
      keys: true,
    },
    dataOnly: false,
    contenders: [tidewayWhole, pgcopydb, dumpRestore],
    targets: [
      { kind: "faster", metric: "wallS", peers: ["pgcopydb"], limit: 1.1, where: "disk" },
      { kind: "faster", metric: "wallS", peers: ["pgcopydb"], limit: 1.25, where: "memory" },
      { kind: "share", metric: "toolCpuS", peers: ["pgcopydb"], limit: 0.6 },
      { kind: "share", metric: "totalCpuS", peers: ["pgcopydb"], limit: 0.8 },
    ],
  }),
];
