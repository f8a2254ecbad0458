import type { Column } from "../core/schema.ts";
import { type ColumnForm, type ColumnPair, joins } from "./column-pair.ts";
import { momentForm } from "./moment-forms.ts";
import { numberForm } from "./number-forms.ts";
import { textForm } from "./text-forms.ts";

/**
 * What the values of a source's column, as rules leave it, and those of the column that the target really has are compared
 * by: the coarser of what both can hold. Undefined where values of the two have no form in common.
 */
export function formOf(source: Column, target: Column): ColumnForm | undefined {
  const pair = { source, target };
  return numberForm(pair) ?? momentForm(pair) ?? bitForm(pair) ?? textForm(pair) ?? otherForm(pair);
}

function bitForm(pair: ColumnPair): ColumnForm | undefined {
  const { source, target } = pair;
  const isBit = ({ type }: Column): boolean => type.kind === "bit" && type.length === 1;
  if (joins(pair, ["bit"])) {
    const [a, b] = [source.type, target.type];
    const isOneLength = a.kind === "bit" && b.kind === "bit" && a.length === b.length;
    return { form: isOneLength ? { kind: "bits" } : { kind: "bits", trims: true } };
  }
  const isTruth = joins(pair, ["bit"], ["boolean", "int"]) && (isBit(source) || isBit(target));
  return isTruth ? { form: { kind: "boolean" } } : undefined;
}

function otherForm(pair: ColumnPair): ColumnForm | undefined {
  const { source, target } = pair;
  if (joins(pair, ["uuid"], ["uuid", "string"])) return { form: { kind: "uuid" } };
  if (joins(pair, ["bytes"]) || isShape(pair)) return { form: { kind: "bytes" } };
  if (joins(pair, ["json"], ["json", "string"])) return jsonForm(pair);
  if (joins(pair, ["array"]) && elementOf(source) === elementOf(target)) return { form: { kind: "own" } };
  const isOneType = source.type.kind === target.type.kind && source.nativeType === target.nativeType;
  return isOneType ? { form: { kind: "own" } } : undefined;
}

/** Of a shape a column of PostGIS shows the bytes, as digits (docs/decisions/034). */
function isShape({ source, target }: ColumnPair): boolean {
  const { type } = source;
  return (
    type.kind === "bytes" && type.shape !== undefined && /\bgeo(?:metry|graphy)\b/.test(target.nativeType)
  );
}

function elementOf({ type, nativeType }: Column): string {
  const element = type.kind === "array" ? type.of : type;
  return element.kind === "opaque" ? nativeType : element.kind;
}

const REPEATED = "Of members of an object with one name only the last is compared.";
const DOUBLES = "Numbers in JSON are compared as floating-point numbers.";

/**
 * PostgreSQL's json, and a text, are what they were given. Its jsonb and MySQL's type write that anew, each in another way;
 * the latter is told from the former's name by what its values are sent as there.
 */
function jsonForm({ source, target }: ColumnPair): ColumnForm {
  const [from, to] = [jsonKind(source), jsonKind(target)];
  if (to === "text") return { form: from === "text" ? { kind: "own" } : { kind: "json", asSent: true } };
  if (from === to) return { form: { kind: "json", asSent: true } };
  const losses = [...(from === "text" ? [REPEATED] : []), ...(isMysqls(from, to) ? [DOUBLES] : [])];
  return {
    form: isMysqls(from, to) ? { kind: "json", hasDoubles: true } : { kind: "json" },
    loss: losses.join(" "),
  };
}

type JsonKind = "text" | "jsonb" | "mysql";

function isMysqls(...kinds: readonly JsonKind[]): boolean {
  return kinds.includes("mysql");
}

function jsonKind({ type, nativeType, binaryAs }: Column): JsonKind {
  if (type.kind === "json" && binaryAs !== undefined) return "mysql";
  return nativeType === "jsonb" ? "jsonb" : "text";
}
