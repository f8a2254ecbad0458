import assert from "node:assert/strict";
import { test } from "node:test";
import { directions, type Kind, mappedServers, moveMapped } from "../support/mapped-move.ts";
import { RuleNumbers } from "../support/mapping-rules.ts";

/*
 * Large objects that are limited in size: the target ends with the first kilobytes of each value, to the end of a whole
 * character, whether it came by the full load or by changes, and whatever the rows are told apart by.
 */

const servers = await mappedServers();
const KB = 1024;

const text: Readonly<Record<Kind, string>> = { postgres: "text", mariadb: "longtext" };
const bytes: Readonly<Record<Kind, string>> = { postgres: "bytea", mariadb: "longblob" };

/** Texts of sizes around a limit of 2 KB; each `fill` is put before the last character that may have room. */
function texts(): readonly string[] {
  const limit = 2 * KB;
  const upTo = (size: number, end: string): string => "x".repeat(size) + end;
  return [
    "",
    "short",
    ...[limit - 1, limit, limit + 1, 5 * limit].map((size) => upTo(size, "")),
    ...["é", "€", "𝄞"].flatMap((char) => [1, 2, 3, 4].map((left) => upTo(limit - left, `${char}end`))),
    "é€𝄞".repeat(500),
    upTo(limit - 1, "\\"),
    upTo(limit, "\\"),
    "\\".repeat(limit + 1),
    "\t\n\\N\r".repeat(1000),
    upTo(300_000, "huge"),
  ];
}

function cut(value: string, limit: number): string {
  let size = 0;
  let kept = "";
  for (const char of value) {
    size += Buffer.byteLength(char);
    if (size > limit) break;
    kept += char;
  }
  return kept;
}
