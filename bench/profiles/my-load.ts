import { clientInserts, clientPipe, driverStream, pgloader, tidewayData } from "../across/load-contenders.ts";
import { acrossLoadProfile } from "../across/load-profile.ts";
import { narrowRows, orderLines, wideRows } from "../across/tables.ts";
import type { Profile } from "../profile.ts";

/** Between MariaDB and PostgreSQL, full load. */

export const myLoadProfiles: readonly Profile[] = [
  acrossLoadProfile({
    name: "my-lineitem",
    description: "MariaDB to PostgreSQL, TPC-H's lineitem, 3 million rows of 16 mixed columns",
    minutes: 8,
    table: orderLines,
    from: "mariadb",
    contenders: [tidewayData, pgloader, clientPipe(orderLines.name), driverStream(orderLines.name)],
    targets: [
      { kind: "faster", metric: "wallS", peers: [pgloader.name], limit: 5 },
      { kind: "share", metric: "toolCpuS", peers: [pgloader.name], limit: 0.1 },
      { kind: "faster", metric: "wallS", peers: ["client | copy"], limit: 1.8 },
    ],
  }),
  acrossLoadProfile({
    name: "my-wide",
    description: "MariaDB to PostgreSQL, 300,000 rows of 1 KB text, JSON and bytes",
    minutes: 3,
    table: wideRows,
    from: "mariadb",
    // pgloader ends here for want of memory, and the client leaves a carriage return as it is.
    contenders: [tidewayData, driverStream(wideRows.name)],
    targets: [{ kind: "faster", metric: "wallS", peers: ["mysql2 stream"], limit: 1.7 }],
  }),
  acrossLoadProfile({
    name: "my-narrow",
    description: "MariaDB to PostgreSQL, 5 million narrow rows",
    minutes: 5,
    table: narrowRows,
    from: "mariadb",
    contenders: [tidewayData, clientPipe(narrowRows.name), driverStream(narrowRows.name)],
    targets: [],
  }),
  acrossLoadProfile({
    name: "my-load",
    description: "PostgreSQL to MariaDB, TPC-H's lineitem, 3 million rows of 16 mixed columns",
    minutes: 8,
    table: orderLines,
    from: "postgres",
    contenders: [tidewayData, clientInserts(orderLines.name)],
    targets: [{ kind: "faster", metric: "wallS", peers: ["inserts | client"], limit: 1.5 }],
  }),
];
