import { type EventCursor, malformed } from "./binlog-bytes.ts";
import { documentOf, type JsonNode, jsonOf, opened, placeOf } from "./binlog-json-tree.ts";

/*
 * Changes of parts of a JSON value, as MySQL 8 logs them with binlog_row_value_options = PARTIAL_JSON: one after another
 * a kind, a path and, unless something is removed, a document (source documentation, "json_diff.h"). Each finds what the
 * last has left.
 */

const DiffKind = { replace: 0, insert: 1, remove: 2 } as const;

/** A member's name, or an item's number. */
type Leg = Buffer | number;

/** The document with the changes that the cursor holds. Throws `source.protocol` where one does not fit. */
export function withDiffs(document: Buffer, diffs: EventCursor): Buffer {
  if (diffs.left === 0) return document;
  const root = opened(jsonOf(document));
  while (diffs.left > 0) {
    const kind = diffs.byte();
    const legs = legsOf(diffs.text(diffs.packed()));
    const last = legs.pop();
    if (last === undefined) throw unfit();
    const parent = legs.reduce(child, root);
    if (kind === DiffKind.replace) replace(parent, last, jsonOf(diffs.slice(diffs.packed())));
    else if (kind === DiffKind.insert) insert(parent, last, jsonOf(diffs.slice(diffs.packed())));
    else if (kind === DiffKind.remove) remove(parent, last);
    else throw malformed("a change of JSON of an unknown kind");
  }
  return documentOf(root);
}

/** What a leg leads to, opened in its place. */
function child(parent: JsonNode, leg: Leg): JsonNode {
  if (typeof leg !== "number" && parent.kind === "object") {
    const member = parent.members[thereIn(parent.members, leg)]!;
    member.value = opened(member.value);
    return member.value;
  }
  if (typeof leg === "number" && parent.kind === "array" && leg < parent.items.length) {
    const item = opened(parent.items[leg]!);
    parent.items[leg] = item;
    return item;
  }
  throw unfit();
}

function replace(parent: JsonNode, leg: Leg, value: JsonNode): void {
  child(parent, leg);
  if (parent.kind === "object") parent.members[thereIn(parent.members, leg as Buffer)]!.value = value;
  else if (parent.kind === "array") parent.items[leg as number] = value;
}

/** Behind the last item there is one place, whatever number is said. */
function insert(parent: JsonNode, leg: Leg, value: JsonNode): void {
  if (typeof leg !== "number" && parent.kind === "object") {
    const { at, isThere } = placeOf(parent.members, leg);
    if (isThere) throw unfit();
    parent.members.splice(at, 0, { name: leg, value });
  } else if (typeof leg === "number" && parent.kind === "array") {
    parent.items.splice(leg, 0, value);
  } else throw unfit();
}

function remove(parent: JsonNode, leg: Leg): void {
  child(parent, leg);
  if (parent.kind === "object") parent.members.splice(thereIn(parent.members, leg as Buffer), 1);
  else if (parent.kind === "array") parent.items.splice(leg as number, 1);
}

function thereIn(members: Extract<JsonNode, { kind: "object" }>["members"], name: Buffer): number {
  const { at, isThere } = placeOf(members, name);
  if (!isThere) throw unfit();
  return at;
}

/** A member's name, quoted as JSON quotes it where it is no plain word, or an item's number. */
const LEG = /\.(?:("(?:[^"\\]|\\.)*")|([^\s."[\]*]+))|\[(\d{1,10})\]/y;

/** `$.name."other name"[3]`, as the server writes the paths of changes. */
function legsOf(path: string): Leg[] {
  if (!path.startsWith("$")) throw malformed(NO_PATH);
  const legs: Leg[] = [];
  for (LEG.lastIndex = 1; LEG.lastIndex < path.length; ) {
    const found = LEG.exec(path);
    if (found === null) throw malformed(NO_PATH);
    const [, quoted, plain, number] = found;
    if (number !== undefined) legs.push(Number(number));
    else legs.push(Buffer.from(quoted === undefined ? plain! : unquoted(quoted)));
  }
  return legs;
}

function unquoted(text: string): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    throw malformed(NO_PATH);
  }
}

const NO_PATH = "a path in JSON that is none";

function unfit(): Error {
  return malformed("a change of a part of JSON that is not there");
}
