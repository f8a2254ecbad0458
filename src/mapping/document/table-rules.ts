import type { ParallelLoad } from "../../core/plan.ts";
import { type KeyRule, LARGEST_LOB, type TableRuleBase, type TableSettingsRule } from "../rules.ts";
import { exactName } from "./locators.ts";
import type { MemberReader, RuleReader } from "./rule-reader.ts";
import { keyOrigins, lobModes, parallelLoadTypes } from "./vocabulary.ts";

const MOST_RANGE_COLUMNS = 10;

export function keyRule(reader: RuleReader, id: number): KeyRule {
  const base = exactTable(reader, id, "define-primary-key");
  reader.optional("value");
  reader.optional("old-value");
  const definition = reader.part("primary-key-def");
  const columns = definition.texts("columns");
  if (columns.length === 0) throw definition.malformed("columns", "A key needs at least one column.");
  const origin = definition.has("origin") ? definition.choice("origin", keyOrigins) : "primary-key";
  if (origin === undefined) {
    throw definition.malformed("origin", "origin must be primary-key or unique-index.");
  }
  const name = definition.has("name") ? definition.text("name") : undefined;
  definition.finish();
  reader.finish();
  return { ...base, name, columns, origin };
}

export function tableSettingsRule(reader: RuleReader, id: number): TableSettingsRule {
  const base = exactTable(reader, id, "table-settings");
  const parallelLoad = reader.has("parallel-load")
    ? readParallelLoad(reader.part("parallel-load"))
    : undefined;
  const lobs = reader.has("lob-settings") ? readLobs(reader.part("lob-settings")) : undefined;
  reader.finish();
  return { ...base, parallelLoad, lobs };
}

function exactTable(reader: RuleReader, id: number, what: string): TableRuleBase {
  const exact = {
    reason: `Exact schema and table name required for ${what}`,
    remedy: "Write the exact name, one rule for each table.",
  };
  return {
    id,
    schema: exactName(reader, "schema-name", exact),
    table: exactName(reader, "table-name", exact),
  };
}

function readParallelLoad(reader: MemberReader): ParallelLoad {
  const type = reader.choice("type", [...parallelLoadTypes, "subpartitions-auto"]);
  // The console writes those of other types, too.
  for (const member of [
    "number-of-partitions",
    "collection-count-from-metadata",
    "max-records-skip-per-page",
    "batch-size",
  ]) {
    if (reader.has(member)) throw reader.unsupported(member, `"${member}" of MongoDB and DocumentDB`);
  }
  const load = parallelLoadOf(reader, type);
  reader.finish();
  return load;
}

function parallelLoadOf(
  reader: MemberReader,
  type: ParallelLoad["type"] | "subpartitions-auto" | undefined,
): ParallelLoad {
  switch (type) {
    case "none":
    case "partitions-auto":
      return { type };
    case "subpartitions-auto":
      throw reader.unsupported("type", "The type subpartitions-auto of Oracle");
    case "partitions-list": {
      const partitions = reader.texts("partitions");
      const subpartitions = reader.texts("subpartitions");
      if (partitions.length + subpartitions.length > 0) return { type, partitions, subpartitions };
      throw reader.malformed("partitions", "partitions-list needs the names of partitions or subpartitions.");
    }
    case "ranges":
      return { type, ...readRanges(reader) };
    case undefined:
      throw reader.malformed(
        "type",
        "type of parallel-load must be none, partitions-auto, subpartitions-auto, partitions-list or ranges.",
      );
  }
}

function readRanges(reader: MemberReader): {
  readonly columns: readonly string[];
  readonly boundaries: readonly (readonly string[])[];
} {
  const columns = reader.texts("columns");
  if (columns.length === 0 || columns.length > MOST_RANGE_COLUMNS) {
    throw reader.malformed("columns", `ranges need 1 to ${MOST_RANGE_COLUMNS} columns.`);
  }
  const boundaries = reader.list("boundaries").map((boundary) => {
    const values = Array.isArray(boundary) ? boundary.map(boundaryText) : [];
    if (values.length === columns.length && values.every((value) => value !== undefined)) return values;
    throw reader.malformed(
      "boundaries",
      "Each boundary must be a list with a text or a number for each column.",
    );
  });
  if (boundaries.length === 0) throw reader.malformed("boundaries", "ranges need at least one boundary.");
  return { columns, boundaries };
}

function boundaryText(value: unknown): string | undefined {
  if (typeof value === "number" && Number.isFinite(value)) return String(value);
  return typeof value === "string" ? value : undefined;
}

function readLobs(reader: MemberReader): TableSettingsRule["lobs"] {
  const mode = reader.choice("mode", lobModes);
  const size = reader.wholeNumber("bulk-max-size", 0, LARGEST_LOB);
  reader.finish();
  switch (mode) {
    case "none":
      return null;
    case "unlimited":
      return "whole";
    case "limited":
      if (size !== undefined && size > 0) return { maxKilobytes: size };
      throw reader.malformed("bulk-max-size", "The mode limited needs a bulk-max-size of more than 0 KB.");
    case undefined:
      throw reader.malformed("mode", "mode of lob-settings must be none, limited or unlimited.");
  }
}
