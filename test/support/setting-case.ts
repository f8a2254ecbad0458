import { isDeepStrictEqual } from "node:util";
import { taskSettings } from "../../src/task/settings-table.ts";
import type { Kind } from "./mapped-move.ts";
import type { ByKind } from "./rule-case.ts";
import type { SettingRun } from "./setting-run.ts";

export type SettingDirection = readonly [from: Kind, to: Kind];

/** Most settings are about what is done on the target. */
export const FROM_POSTGRES: readonly SettingDirection[] = [
  ["postgres", "postgres"],
  ["postgres", "mariadb"],
];

/** For what is of the source's log, too. */
export const FROM_BOTH: readonly SettingDirection[] = [...FROM_POSTGRES, ["mariadb", "postgres"]];

/** What happens around a task, whatever a setting is; `{schema}` stands for the schema on both sides. */
export interface SettingStory {
  /** In the source's schema. Left out: the table t with two rows. */
  readonly made?: string;
  /** In the target's schema, before the task. */
  readonly there?: ByKind<string>;
  /** Of the document, beside the setting; by its value where it needs others. */
  readonly settings?: object | ((value: unknown) => object);
  /** Selection rules beside the one for all of the schema. */
  readonly rules?: readonly object[];
  /** On the target, when the rows are in. */
  readonly disturbed?: string;
  /** On the source, after that; left out with `during`: the task is a full load. */
  readonly changed?: string;
  /** In the place of these two, from the start of the task; then it ends when it has caught up. */
  readonly during?: (run: SettingRun) => Promise<void>;
  /** Asked of the target in the end. */
  readonly query?: ByKind<string>;
  /** Directions in which the setting has a meaning; left out: from PostgreSQL to each kind. */
  readonly directions?: readonly SettingDirection[];
}

/** What a story ends as: why the task ended, what the query finds, and what was left out. */
export type Ending = readonly string[];

/** One setting, and how one story ends for each value: every one that it may be chosen to be, and two of a number or text. */
export interface SettingCase extends SettingStory {
  readonly path: string;
  readonly endings: readonly (readonly [value: unknown, ending: ByKind<Ending>])[];
}

/** Settings that act, with the values that a case has to have, where these are few. */
export const actingSettings: ReadonlyMap<string, readonly unknown[]> = new Map(
  taskSettings
    .filter(({ effect }) => "does" in effect)
    .map(({ path, value }): [string, readonly unknown[]] => {
      if (value.type === "choice") return [path, value.values];
      return [path, value.type === "boolean" ? [true, false] : []];
    }),
);

/** What a suite of cases leaves out, or says twice: nothing, if it is whole. */
export function gapsOf(cases: readonly SettingCase[]): readonly string[] {
  const paths = new Set(cases.map(({ path }) => path));
  return [
    ...[...actingSettings.keys()].filter((path) => !paths.has(path)),
    ...cases.flatMap(({ path, endings }) => {
      const wanted = actingSettings.get(path) ?? [];
      const values = endings.map(([value]) => value);
      const alike = endings.filter(([, ending], at) =>
        endings.slice(0, at).some(([, other]) => isDeepStrictEqual(other, ending)),
      );
      return [
        ...(actingSettings.has(path) ? [] : [`${path} does not act`]),
        ...(values.length > 1 ? [] : [`${path} has one value`]),
        ...wanted.filter((value) => !values.includes(value)).map((value) => `${path}: ${value}`),
        ...alike.map(([value]) => `${path}: ${value} ends as another value does`),
      ];
    }),
  ];
}
