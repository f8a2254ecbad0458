import type { TablePlan } from "../../../core/plan.ts";
import { identifier, qualified } from "../catalog/identifier.ts";
import type { TargetColumn } from "../catalog/target-columns.ts";
import { CellForm, compileCells } from "../values/cell-text.ts";
import { type OutOfRange, RangeRule } from "../values/out-of-range.ts";
import { LoadForm } from "./load-text.ts";

/** What loading a table needs to know of its columns, compiled once. */
export interface LoadColumns {
  /** LoadForm and CellForm of each column that is loaded, in order. */
  readonly forms: Uint8Array;
  readonly cells: Uint8Array;
  /** LOAD DATA LOCAL, reading rows of LoadText. */
  readonly loadSql: string;
  /** `insert into t (a, b) values `. */
  readonly insertSql: string;
  /** By place among the columns that are loaded. */
  readonly range: RangeRule | undefined;
}

/** Character sets whose texts have the same bytes as in UTF-8, as far as they can hold them. */
const LIKE_UTF8: ReadonlySet<string | undefined> = new Set([
  undefined,
  "utf8mb4",
  "utf8mb3",
  "utf8",
  "ascii",
  "binary",
]);
/** Types that read bytes of no character set in another way than characters, or not at all. */
const OF_CHARACTERS: ReadonlySet<string> = new Set(["json", "inet4", "inet6", "uuid"]);

/** `columns`: those that the target has. */
export function loadColumns(
  plan: TablePlan,
  columns: readonly TargetColumn[],
  choices: OutOfRange,
): LoadColumns {
  const byName = new Map(columns.map((column) => [column.name, column]));
  const ordinals = [...plan.source.columns.keys()].filter(
    (i) => plan.source.columns[i]!.generated === undefined,
  );
  const all = compileCells(plan, byName);
  const cells = Uint8Array.from(ordinals, (i) => all[i]!);
  const places = ordinals.map((i) => [i, byName.get(plan.target.columns[i]!.name)] as const);
  const range = RangeRule.for(plan, places, choices);
  const forms = Uint8Array.from(ordinals, (i, place) => {
    const { type } = plan.source.columns[i]!;
    const isZoned = (type.kind === "time" || type.kind === "timestamp") && type.zoned;
    return range?.checks(place) === true ? LoadForm.whole : loadForm(all[i]! as CellForm, isZoned);
  });
  const names = ordinals.map((i) => plan.target.columns[i]!.name);
  const sets: string[] = [];
  const list = names.map((name, i) => {
    const column = byName.get(name);
    const isText =
      forms[i] === LoadForm.plain || forms[i] === LoadForm.truthText || cells[i] === CellForm.trimmed;
    if (column === undefined || !isText || !needsCharacters(column)) return identifier(name);
    sets.push(`${identifier(name)} = convert(@c${i} using utf8mb4)`);
    return `@c${i}`;
  });
  const table = qualified(plan.target.id);
  return {
    forms,
    cells,
    range,
    // The bytes of a column of characters go in as they are, those of others need no escaping as text.
    loadSql:
      `load data local infile 'rows' into table ${table} character set binary fields terminated by '\\t' ` +
      `escaped by '\\\\' lines terminated by '\\n' (${list.join(", ")})` +
      (sets.length === 0 ? "" : ` set ${sets.join(", ")}`),
    insertSql: `insert into ${table} (${names.map(identifier).join(", ")}) values `,
  };
}

function needsCharacters({ dataType, characterSet }: TargetColumn): boolean {
  return OF_CHARACTERS.has(dataType) || !LIKE_UTF8.has(characterSet);
}

function loadForm(cell: CellForm, isZoned: boolean): LoadForm {
  switch (cell) {
    case CellForm.truth:
      return LoadForm.truth;
    case CellForm.truthText:
      return LoadForm.truthText;
    case CellForm.bytes:
      return LoadForm.bytes;
    case CellForm.geometry:
    case CellForm.bits:
    case CellForm.shortest:
    case CellForm.year:
    case CellForm.trimmed:
      return LoadForm.whole;
    case CellForm.moment:
      return isZoned ? LoadForm.whole : LoadForm.plain;
    default:
      return LoadForm.plain;
  }
}
