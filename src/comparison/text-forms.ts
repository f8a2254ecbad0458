import type { Column, LogicalType } from "../core/schema.ts";
import { type ColumnForm, type ColumnPair, joins } from "./column-pair.ts";

const TEXTS: readonly LogicalType["kind"][] = ["string", "enum", "set"];
/** What has a form of its own beside a text. */
const FORMED: readonly LogicalType["kind"][] = [...TEXTS, "boolean", "uuid", "json"];

/** Texts with texts, and what a text on the target has been made of. */
export function textForm(pair: ColumnPair): ColumnForm | undefined {
  const { source, target } = pair;
  if (joins(pair, TEXTS)) return ofTexts(pair);
  if (target.type.kind !== "string") return undefined;
  if (source.type.kind === "boolean") return { form: { kind: "text" } };
  return FORMED.includes(source.type.kind) ? undefined : { form: { kind: "own" } };
}

/**
 * PostgreSQL fills `character(n)` up with blanks, and shows them; MySQL's `char(n)` has none at its end. Between two of
 * one kind, and where neither is of a fixed length, all characters count.
 */
function ofTexts({ source, target }: ColumnPair): ColumnForm {
  const isFixed = ({ type }: Column): boolean => type.kind === "string" && type.fixed;
  const isAlike =
    source.nativeType === target.nativeType ||
    [source, target].every(({ nativeType }) => isUnpadded(nativeType));
  const form = { kind: "text", trims: true } as const;
  // Of two columns of a fixed length neither has blanks of its own, and a key is told without them.
  if (isFixed(source) && isFixed(target)) return { form };
  if (isAlike || (!isFixed(source) && !isFixed(target))) return { form: { kind: "text" } };
  return { form, loss: "Blanks at the end of texts are not compared." };
}

function isUnpadded(nativeType: string): boolean {
  return /^char\(/i.test(nativeType);
}
