import type { LogicalType } from "../core/schema.ts";
import type { ColumnForm, ColumnPair } from "./column-pair.ts";

type NumberType =
  | { readonly kind: "boolean" }
  | Extract<LogicalType, { readonly kind: "int" | "decimal" | "float" }>;

const NUMBERS: readonly LogicalType["kind"][] = ["boolean", "int", "decimal", "float"];

/** Numbers with numbers, and texts on the source that rules have made numbers of. */
export function numberForm({ source, target }: ColumnPair): ColumnForm | undefined {
  const [from, to] = [source.type, target.type];
  if (!isNumber(to)) return undefined;
  if (from.kind === "string") return ofOne(to);
  return isNumber(from) ? ofTwo(from, to) : undefined;
}

function isNumber(type: LogicalType | NumberType): type is NumberType {
  return NUMBERS.includes(type.kind);
}

function ofOne(type: NumberType): ColumnForm {
  switch (type.kind) {
    case "boolean":
    case "int":
      return { form: { kind: type.kind } };
    case "float":
      return { form: { kind: "float", bits: type.bits } };
    case "decimal":
      return { form: decimal(scaleOf(type)) };
  }
}

function ofTwo(from: NumberType, to: NumberType): ColumnForm {
  const float = to.kind === "float" ? to : from.kind === "float" ? from : undefined;
  if (float !== undefined) return floatForm(from, to);
  if (from.kind === "decimal" || to.kind === "decimal") return decimalForm(from, to);
  const isTruth = from.kind === "boolean" || to.kind === "boolean";
  return { form: { kind: isTruth ? "boolean" : "int" } };
}

function floatForm(from: NumberType, to: NumberType): ColumnForm {
  const is32 = [from, to].some((type) => type.kind === "float" && type.bits === 32);
  const form = { kind: "float", bits: is32 ? 32 : 64 } as const;
  const isExact = from.kind === "float" && (from.bits === 32 || !is32);
  return isExact ? { form } : { form, loss: `Numbers are compared as floats of ${form.bits} bits.` };
}

function decimalForm(from: NumberType, to: NumberType): ColumnForm {
  const [have, want] = [scaleOf(from), scaleOf(to)];
  const scale = have === undefined || want === undefined ? (have ?? want) : Math.min(have, want);
  const form = decimal(scale);
  if (scale === undefined || have === scale) return { form };
  return { form, loss: `Digits after the first ${scale} behind the point are not compared.` };
}

function decimal(scale: number | undefined): ColumnForm["form"] {
  return scale === undefined ? { kind: "decimal" } : { kind: "decimal", scale };
}

/** Undefined where each value has its own. */
function scaleOf(type: NumberType): number | undefined {
  if (type.kind !== "decimal") return 0;
  return type.precision === undefined ? undefined : Math.max(0, type.scale ?? 0);
}
