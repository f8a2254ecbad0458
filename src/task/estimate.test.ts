import assert from "node:assert/strict";
import { test } from "node:test";
import type { TableSchema } from "../core/schema.ts";
import type { SourceProbe } from "../core/server-probe.ts";
import { changeRate, estimate, logLasts } from "./estimate.ts";
import { logFindings, probeFindings } from "./estimate-findings.ts";
import { instanceClasses } from "./instance-class.ts";

const server = { server: "PostgreSQL 18", roundTripMs: 1, clockSkewMs: 0 };

function probe(atMs: number, change: Partial<SourceProbe> = {}): SourceProbe {
  return { ...server, atMs, logBytes: atMs * 100, changedRows: atMs, logKept: {}, unnoted: [], ...change };
}

function table(name: string, rows: number, bytes: number): TableSchema {
  const none = { columns: [], key: [], indexes: [], checks: [], foreignKeys: [] };
  return {
    ...none,
    ...{ id: { schema: "s", name }, rowIdentity: "key", estimatedRows: rows, estimatedBytes: bytes },
  };
}

const large = table("large", 1000, 100_000);
const sample = { id: large.id, rows: 100, bytes: 5_000, seconds: 0.5 };

test("what was not sampled is taken to be like what was, and statistics that are missing count as nothing", () => {
  const tables = [table("small", 10, 900), large, table("unknown", -1, -1)];
  const found = estimate({ tables, samples: [sample], lanes: 5, changes: undefined });
  assert.deepEqual(
    found.tables.map(({ id }) => id.name),
    ["large", "small", "unknown"],
  );
  assert.deepEqual([found.rows, found.bytes], [1010, 100_900]);
  // 1,010 rows of 50 bytes at 10,000 bytes a second.
  const load = { bytes: 50_500, slowestSeconds: 5.05, fastestSeconds: 1.01, bytesPerSecond: 50_000 };
  assert.deepEqual(found.load, load);
});

test("rows that were seen count where statistics know of fewer", () => {
  const tables = [table("large", -1, -1)];
  const found = estimate({ tables, samples: [sample], lanes: 1, changes: undefined });
  assert.equal(found.load?.bytes, 5_000);
});

test("nothing is estimated of a load when nothing was read", () => {
  assert.equal(estimate({ tables: [large], samples: [], lanes: 1, changes: undefined }).load, undefined);
});

test("the instance class grows with what is to be moved and with what is to be followed", () => {
  const classOf = (rows: number, logBytesPerSecond: number): string => {
    const changes = { seconds: 1, logBytesPerSecond, rowsPerSecond: 0 };
    const tables = [table("large", rows, rows * 50)];
    return estimate({ tables, samples: [sample], lanes: 8, changes }).instanceClass;
  };
  assert.equal(classOf(1000, 0), "dms.t3.medium");
  assert.equal(classOf(2e9, 0), "dms.c5.large");
  assert.equal(classOf(1000, 10e6), "dms.c5.xlarge");
  assert.equal(classOf(1e12, 0), "dms.c5.4xlarge");
  const known = new Set(instanceClasses.map(({ name }) => name));
  const named = [1000, 2e9, 2e10, 1e11, 1e12].map((rows) => classOf(rows, 0));
  assert.deepEqual([new Set(named).size, named.filter((name) => !known.has(name))], [5, []]);
});

test("a rate is what two probes differ by, and unknown where one of them does not tell or the log was cut", () => {
  const at = { seconds: 2, logBytesPerSecond: 100_000, rowsPerSecond: 1000 };
  assert.deepEqual(changeRate(probe(1000), probe(3000)), at);
  const unseen = changeRate(probe(1000, { logBytes: undefined }), probe(3000, { changedRows: 0 }));
  assert.deepEqual(unseen, { seconds: 2, logBytesPerSecond: undefined, rowsPerSecond: undefined });
});

test("the log lasts by its size or its age, whichever ends first", () => {
  const changes = { seconds: 1, logBytesPerSecond: 100, rowsPerSecond: 1 };
  assert.equal(logLasts({}, changes), undefined);
  assert.equal(logLasts({ bytes: 1000 }, undefined), undefined);
  assert.equal(logLasts({ bytes: 1000 }, changes), 10);
  assert.equal(logLasts({ bytes: 1000, seconds: 5 }, changes), 5);
  assert.equal(logLasts({ seconds: 60 }, undefined), 60);
});

test("a log that is discarded before the load may be over is told, and one that lasts is not", () => {
  const changes = { seconds: 1, logBytesPerSecond: 1000, rowsPerSecond: 1 };
  const estimated = estimate({ tables: [large], samples: [sample], lanes: 1, changes });
  const told = (change: Partial<SourceProbe>): unknown =>
    logFindings(probe(0, change), estimated).map(({ code, severity }) => [code, severity]);
  assert.deepEqual(told({ logKept: { bytes: 4_000 } }), [["source.log_limit", "warning"]]);
  assert.deepEqual(told({ logKept: { bytes: 6_000 } }), []);
  assert.deepEqual(told({ logKept: { seconds: 4 } }), [["source.binary_log_expires", "warning"]]);
  assert.deepEqual(told({}), []);
});

test("clocks that differ and servers that are far away are told", () => {
  const told = (change: Partial<SourceProbe>): unknown =>
    probeFindings("source", probe(0, change)).map(({ code, severity, message }) => [code, severity, message]);
  assert.deepEqual(told({}), []);
  assert.deepEqual(told({ clockSkewMs: -5_200 }), [
    ["connect.clock_differs", "warning", "The clock of the source is 5 seconds behind that of this machine."],
  ]);
  assert.deepEqual(told({ roundTripMs: 40 }), [
    ["connect.slow_round_trip", "info", "A statement takes 40 ms to the source and back."],
  ]);
  assert.equal((told({ roundTripMs: 140 }) as unknown[][])[0]![1], "warning");
});
