import type { Mask } from "../../core/plan.ts";
import type { Column, LogicalType } from "../../core/schema.ts";
import { dataTypeOf } from "../document/data-types.ts";
import { type ColumnAction, type ColumnRule, changeName } from "../rules.ts";

/** What the rules say of one column of a table. */
export interface ColumnChoice {
  readonly column: Column;
  /** Into the source's columns. */
  readonly ordinal: number;
  /** It comes to the target. */
  readonly comes: boolean;
  /** There. */
  readonly name: string;
  /** The rule that gives it that name; undefined where none does. */
  readonly namedBy: number | undefined;
  /** Undefined: as on the source. */
  readonly type: Ruled<LogicalType> | undefined;
  readonly mask: Ruled<Mask> | undefined;
}

/** Something with the id of the rule that says it. */
export interface Ruled<Said> {
  readonly rule: number;
  readonly said: Said;
}

/**
 * What the rules say of a table's columns. Of each thing that rules can say of a column (its name, its type, its mask,
 * whether it comes) the rule with the lowest id decides; different things add up. One rule that includes a
 * column of a table leaves all of its columns behind that no rule includes.
 */
export function chooseColumns(
  columns: readonly Column[],
  rules: readonly ColumnRule[],
): readonly ColumnChoice[] {
  const includes = rules.some(({ action }) => action.kind === "include");
  return columns.map((column, ordinal) => {
    const own = rules.filter((rule) => isAbout(rule, column));
    const presence = own.find(({ action }) => action.kind === "include" || action.kind === "remove");
    const name = first(own, "name");
    const type = first(own, "type");
    const mask = first(own, "mask");
    return {
      ...{ column, ordinal },
      comes: includes ? presence?.action.kind === "include" : presence === undefined,
      name: name === undefined ? column.name : changeName(column.name, name.action.change),
      namedBy: name?.id,
      type: type === undefined ? undefined : { rule: type.id, said: type.action.type },
      mask: mask === undefined ? undefined : { rule: mask.id, said: mask.action.mask },
    };
  });
}

export function isAbout({ column: pattern, dataType }: ColumnRule, column: Column): boolean {
  return pattern.matches(column.name) && (dataType === undefined || dataType === dataTypeOf(column));
}

type RuleOf<Kind> = ColumnRule & { readonly action: Extract<ColumnAction, { readonly kind: Kind }> };

function first<Kind extends ColumnAction["kind"]>(
  rules: readonly ColumnRule[],
  kind: Kind,
): RuleOf<Kind> | undefined {
  return rules.find((rule): rule is RuleOf<Kind> => rule.action.kind === kind);
}
