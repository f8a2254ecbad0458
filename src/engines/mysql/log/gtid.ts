import { MigrationError } from "../../../core/error.ts";

/*
 * Sets of global transaction identifiers. MySQL numbers the transactions of each server from 1 on and writes a set as
 * intervals for each server: `3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5:7-9,...` (manual, "GTID Format and Storage").
 * MariaDB numbers within a replication domain, in the order of the log, and writes the last of each domain:
 * `0-1-5,1-2-7` for domain-server-number (knowledge base, "Global Transaction ID"). So both are sets, and one that has
 * come further contains the other.
 *
 * From MySQL 8.3 on a transaction may have a tag beside its server's UUID; each tag is numbered from 1 on. Servers write
 * `uuid:1-5:tag:1-3`, which is read; here each tag has its UUID before it, `uuid:1-5,uuid:tag:1-3`, which servers read.
 */

/** Every set's text when it is empty; servers write nothing then. */
export const NO_GTIDS = "none";

export type GtidSet =
  /** By UUID or UUID:tag in lower case, sorted: intervals as pairs [first, last], ascending, none touching the next. */
  | { readonly flavour: "mysql"; readonly servers: ReadonlyMap<string, readonly number[]> }
  /** By domain, sorted. */
  | { readonly flavour: "mariadb"; readonly domains: ReadonlyMap<number, MariadbGtid> };

export interface MariadbGtid {
  readonly server: number;
  readonly sequence: number;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const TAG = /^[a-z_][a-z0-9_]{0,31}$/;
const INTERVAL = /^(\d{1,19})(?:-(\d{1,19}))?$/;
const MARIADB_GTID = /^(\d{1,10})-(\d{1,10})-(\d{1,19})$/;
const MAX_ID = 0xffffffff;

/** Reads what servers print and people write: in any order, with spaces and line breaks. Throws `position.malformed`. */
export function parseGtids(text: string): GtidSet {
  const compact = text.replace(/\s+/g, "").toLowerCase();
  if (compact === "" || compact === NO_GTIDS) return { flavour: "mysql", servers: new Map() };
  const parts = compact.split(",").filter((part) => part !== "");
  return MARIADB_GTID.test(parts[0] ?? "") ? parseDomains(parts) : parseServers(parts);
}

/** The one text of a set. */
export function formatGtids(set: GtidSet): string {
  const parts: string[] = [];
  if (set.flavour === "mariadb") {
    for (const [domain, { server, sequence }] of set.domains) parts.push(`${domain}-${server}-${sequence}`);
  } else {
    for (const [uuid, intervals] of set.servers) parts.push(`${uuid}:${formatIntervals(intervals)}`);
  }
  return parts.length === 0 ? NO_GTIDS : parts.join(",");
}

export function formatIntervals(intervals: readonly number[]): string {
  let text = "";
  for (let i = 0; i < intervals.length; i += 2) {
    const first = intervals[i]!;
    const last = intervals[i + 1]!;
    if (i > 0) text += ":";
    text += first === last ? String(first) : `${first}-${last}`;
  }
  return text;
}

export function isEmpty(set: GtidSet): boolean {
  return (set.flavour === "mysql" ? set.servers.size : set.domains.size) === 0;
}

/** Whether all of `inner` is in `outer`. Sets of the two kinds of server have nothing in common. */
export function containsGtids(outer: GtidSet, inner: GtidSet): boolean {
  if (isEmpty(inner)) return true;
  if (inner.flavour === "mysql") {
    if (outer.flavour !== "mysql") return false;
    for (const [uuid, intervals] of inner.servers) {
      if (!coversIntervals(outer.servers.get(uuid), intervals)) return false;
    }
    return true;
  }
  if (outer.flavour !== "mariadb") return false;
  for (const [domain, { server, sequence }] of inner.domains) {
    const own = outer.domains.get(domain);
    if (own === undefined || own.sequence < sequence) return false;
    // Two servers have written under the same number: their logs have parted.
    if (own.sequence === sequence && own.server !== server) return false;
  }
  return true;
}

/** Puts a number into intervals of the form that a GtidSet holds; nothing changes when it is there. */
export function addToIntervals(intervals: number[], number: number): void {
  let at = intervals.length;
  while (at > 0 && intervals[at - 2]! > number) at -= 2;
  // All intervals before `at` begin at or before the number.
  const touchesBefore = at > 0 && intervals[at - 1]! >= number - 1;
  const touchesAfter = at < intervals.length && intervals[at]! === number + 1;
  if (touchesBefore && touchesAfter) intervals.splice(at - 1, 2);
  else if (touchesBefore) intervals[at - 1] = Math.max(intervals[at - 1]!, number);
  else if (touchesAfter) intervals[at] = number;
  else intervals.splice(at, 0, number, number);
}

/** A server's UUID, 16 bytes, as sets have it. */
export function uuidText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

function coversIntervals(outer: readonly number[] | undefined, inner: readonly number[]): boolean {
  if (outer === undefined) return false;
  let at = 0;
  for (let i = 0; i < inner.length; i += 2) {
    while (at < outer.length && outer[at + 1]! < inner[i]!) at += 2;
    if (at >= outer.length || outer[at]! > inner[i]! || outer[at + 1]! < inner[i + 1]!) return false;
  }
  return true;
}

function parseDomains(parts: readonly string[]): GtidSet {
  const domains = new Map<number, MariadbGtid>();
  for (const part of parts) {
    const match = MARIADB_GTID.exec(part);
    if (match === null) throw malformed();
    const domain = numberOf(match[1]!, MAX_ID);
    if (domains.has(domain)) throw malformed();
    domains.set(domain, {
      server: numberOf(match[2]!, MAX_ID),
      sequence: numberOf(match[3]!, Number.MAX_SAFE_INTEGER),
    });
  }
  return { flavour: "mariadb", domains: new Map([...domains].sort(([a], [b]) => a - b)) };
}

function parseServers(parts: readonly string[]): GtidSet {
  const servers = new Map<string, number[]>();
  for (const part of parts) {
    const [uuid = "", ...texts] = part.split(":");
    if (!UUID.test(uuid) || !INTERVAL.test(texts.at(-1) ?? "")) throw malformed();
    let source = uuid;
    for (const [i, text] of texts.entries()) {
      if (TAG.test(text) && !TAG.test(texts[i + 1]!)) source = `${uuid}:${text}`;
      else servers.set(source, [...(servers.get(source) ?? []), ...parseInterval(text)]);
    }
  }
  for (const [uuid, pairs] of servers) servers.set(uuid, mergedIntervals(pairs));
  return {
    flavour: "mysql",
    servers: new Map([...servers].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

function parseInterval(text: string): readonly [number, number] {
  const match = INTERVAL.exec(text);
  if (match === null) throw malformed();
  const first = numberOf(match[1]!, Number.MAX_SAFE_INTEGER);
  const last = match[2] === undefined ? first : numberOf(match[2], Number.MAX_SAFE_INTEGER);
  if (first < 1 || last < first) throw malformed();
  return [first, last];
}

function mergedIntervals(pairs: readonly number[]): number[] {
  const sorted: (readonly [number, number])[] = [];
  for (let i = 0; i < pairs.length; i += 2) sorted.push([pairs[i]!, pairs[i + 1]!]);
  sorted.sort(([a], [b]) => a - b);
  const merged: number[] = [];
  for (const [first, last] of sorted) {
    const end = merged.at(-1);
    if (end !== undefined && end >= first - 1) merged[merged.length - 1] = Math.max(end, last);
    else merged.push(first, last);
  }
  return merged;
}

function numberOf(digits: string, max: number): number {
  const value = Number(digits);
  if (value > max) throw malformed();
  return value;
}

function malformed(): MigrationError {
  return new MigrationError("position.malformed", {
    message:
      "A set of GTIDs looks like 0-1-5,1-2-7 on MariaDB and like 3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5:7-9 on MySQL.",
  });
}
