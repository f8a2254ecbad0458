/** What a task setting may hold. `default` undefined: not part of a document unless somebody sets it. */
export type SettingValue =
  | { readonly type: "boolean"; readonly default: boolean | undefined }
  | {
      readonly type: "integer";
      readonly default: number | undefined;
      readonly min: number;
      readonly max: number;
    }
  | { readonly type: "choice"; readonly default: string | undefined; readonly values: readonly string[] }
  /** A text, or null when its default is null. */
  | { readonly type: "text"; readonly default: string | null | undefined }
  /** An object or list whose inside is kept as it is; null for none. */
  | { readonly type: "object" | "list"; readonly default: null | undefined }
  | { readonly type: "texts"; readonly default: readonly string[] }
  | { readonly type: "log-components"; readonly default: readonly LogComponent[] };

export interface LogComponent {
  readonly Id: string;
  readonly Severity: string;
}

/** What becomes of a setting in Tideway. */
export type SettingEffect =
  | { readonly does: string }
  /** Kept and returned, without effect, for this reason. */
  | {
      readonly insteadOf: string;
      /** How grave it is to pass over a value other than the default. An "error" keeps the task from running. */
      readonly passedOver: "info" | "warning" | "error";
    };

/** The settings of one section by name: value, meaning, effect. */
export type SettingSection = Readonly<
  Record<string, readonly [value: SettingValue, about: string, effect: SettingEffect]>
>;

export const flag = (value?: boolean): SettingValue => ({ type: "boolean", default: value });

/** Without limits: not negative. */
export const whole = (value?: number, min = 0, max = 2_147_483_647): SettingValue => ({
  type: "integer",
  default: value,
  min,
  max,
});

/** The first value is the default. */
export const choice = (...values: readonly string[]): SettingValue => ({
  type: "choice",
  default: values[0],
  values,
});

export const text = (value?: string | null): SettingValue => ({ type: "text", default: value });

export const does = (effect: string): SettingEffect => ({ does: effect });

/** For settings that nobody misses: a resource limit, a mode of work. */
export const idle = (insteadOf: string): SettingEffect => ({ insteadOf, passedOver: "info" });

/** For settings whose users would expect something to happen. */
export const missing = (insteadOf: string): SettingEffect => ({ insteadOf, passedOver: "warning" });

/** For settings that would make the target other than what was asked for. */
export const refused = (insteadOf: string): SettingEffect => ({ insteadOf, passedOver: "error" });

/** "a whole number from 1 to 49": what a value must be, for messages and the reference. */
export function describeValue(value: SettingValue): string {
  switch (value.type) {
    case "boolean":
      return "true or false";
    case "integer":
      if (value.max < 2_147_483_647) return `a whole number from ${value.min} to ${value.max}`;
      return `a whole number, at least ${value.min}`;
    case "choice":
      return value.values.length === 1 ? `"${value.values[0]}"` : `one of ${value.values.join(", ")}`;
    case "text":
      return value.default === null ? "a text or null" : "a text";
    case "object":
      return value.default === null ? "an object or null" : "an object";
    case "list":
      return "a list";
    case "texts":
      return "a list of texts";
    case "log-components":
      return "a list of objects with Id and Severity";
  }
}

/** Whether JSON's null stands for a value of its own here; elsewhere it means "as it was". */
export function allowsNull(value: SettingValue): boolean {
  return value.default === null;
}

/** Whether a JSON value is allowed. Log components are looked at one by one elsewhere. */
export function accepts(value: SettingValue, given: unknown): boolean {
  if (given === null) return allowsNull(value);
  switch (value.type) {
    case "boolean":
      return typeof given === "boolean";
    case "integer":
      return Number.isInteger(given) && (given as number) >= value.min && (given as number) <= value.max;
    case "choice":
      return typeof given === "string" && value.values.includes(given);
    case "text":
      return typeof given === "string";
    case "object":
      return typeof given === "object" && !Array.isArray(given);
    case "list":
    case "log-components":
      return Array.isArray(given);
    case "texts":
      return Array.isArray(given) && given.every((one) => typeof one === "string");
  }
}
