import { native } from "../changes/native.ts";
import { tidewayChanges } from "../changes/tideway.ts";
import { bulkInsert, hotRow, singleUpdates, tpcB } from "../data/workloads.ts";
import type { Profile } from "../profile.ts";
import type { Target } from "../target.ts";
import { changeProfile } from "./change-profile.ts";

/** PostgreSQL to PostgreSQL, catching up. */

const plain = native({ name: "native", streaming: "off" });
const streams = native({ name: "native stream", streaming: "on" });
const parallel = native({ name: "native parallel", streaming: "parallel" });

/** Streaming is about large transactions; where there are none it changes nothing. */
const withoutStreaming = [tidewayChanges, plain];

function faster(limit: number, ...peers: string[]): readonly Target[] {
  return [{ kind: "faster", metric: "wallS", peers, limit }];
}

export const pgChangeProfiles: readonly Profile[] = [
  changeProfile({
    name: "pg-cdc-small",
    description: "100,000 TPC-B transactions of pgbench, 4 rows each",
    minutes: 3,
    workload: tpcB,
    contenders: withoutStreaming,
    targets: faster(2.5, plain.name),
  }),
  changeProfile({
    name: "pg-cdc-single",
    description: "400,000 transactions that update one row of a million",
    minutes: 4,
    workload: singleUpdates,
    contenders: withoutStreaming,
    targets: faster(2.3, plain.name),
  }),
  changeProfile({
    name: "pg-cdc-bulk",
    description: "one transaction that inserts a million rows",
    minutes: 4,
    workload: bulkInsert,
    contenders: [tidewayChanges, plain, streams, parallel],
    targets: faster(1.25, plain.name, streams.name, parallel.name),
  }),
  changeProfile({
    name: "pg-cdc-hot",
    description: "100,000 transactions that update the same row",
    minutes: 2,
    workload: hotRow,
    contenders: withoutStreaming,
    targets: faster(5, plain.name),
  }),
];
