import { type ErrorCode, MigrationError } from "../core/error.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The same words for each kind of JSON value in every message. */
export function jsonKind(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  return `a ${typeof value}`;
}

/** DMS's own console writes members it has no use for as null, empty or false; they ask for nothing. */
function asksForNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === "") return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

/** An error of the document as a whole. */
export function documentError(reason: string, remedy?: string): MigrationError {
  return new MigrationError("mapping.malformed", {
    message: `Error in mapping rules. ${reason}`,
    subject: "table mappings",
    ...(remedy === undefined ? {} : { remedy }),
  });
}

/**
 * Takes one rule apart member by member. Every member has to be asked for: `finish` refuses what is
 * left, so that nothing in a document is passed over in silence.
 */
export class RuleReader {
  /** As errors show it: the rule's id, or its place when it has none. */
  readonly #label: string;
  readonly #rule: JsonObject;
  readonly #known = new Set<string>();

  constructor(rule: unknown, place: number) {
    this.#label = `at place ${place}`;
    if (!isJsonObject(rule)) throw this.malformed("rules", `It must be an object, not ${jsonKind(rule)}.`);
    this.#rule = rule;
    const id = rule["rule-id"];
    if (typeof id === "number" || (typeof id === "string" && id !== "")) this.#label = `with ruleId = ${id}`;
  }

  malformed(member: string, reason: string, remedy?: string): MigrationError {
    return this.#error("mapping.malformed", { member, reason, remedy });
  }

  /** For what DMS allows and Tideway does not have. */
  unsupported(member: string, what: string, remedy?: string): MigrationError {
    const reason = `${what} is not supported by this version of Tideway.`;
    return this.#error("mapping.unsupported", { member, reason, remedy });
  }

  /** DMS writes ids as texts; numbers are seen in the wild. */
  id(): number {
    const value = this.#take("rule-id");
    if (value === undefined || value === null) throw this.malformed("rule-id", "rule-id is missing.");
    const id = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
    if (typeof id === "number" && Number.isSafeInteger(id) && id >= 0) return id;
    throw this.malformed("rule-id", "rule-id must be a whole number, not negative, unique in the document.");
  }

  /** One of `values`, or undefined when it is none of them but some other text. */
  choice<Value extends string>(member: string, values: readonly Value[]): Value | undefined {
    const value = this.text(member);
    return values.find((candidate) => candidate === value);
  }

  /** A text that is there and not empty. */
  text(member: string): string {
    return this.#text(member, this.#take(member));
  }

  /** As `text`, but of object-locator. */
  locatorText(member: string): string {
    return this.#text(`object-locator.${member}`, this.locator()[member]);
  }

  locator(): JsonObject {
    const locator = this.#take("object-locator");
    if (isJsonObject(locator)) return locator;
    const reason = locator === undefined ? "is missing." : `must be an object, not ${jsonKind(locator)}.`;
    throw this.malformed("object-locator", `object-locator ${reason}`);
  }

  /** A member that may be absent or null; its value is not checked. */
  optional(member: string): unknown {
    const value = this.#take(member);
    return value === null ? undefined : value;
  }

  /** Refuses whatever has not been asked for and would ask for something. */
  finish(locatorMembers: readonly string[]): void {
    for (const [member, value] of Object.entries(this.#rule)) {
      if (!this.#known.has(member) && !asksForNothing(value)) throw this.unsupported(member, `"${member}"`);
    }
    for (const [member, value] of Object.entries(this.locator())) {
      if (locatorMembers.includes(member) || asksForNothing(value) || value === "%") continue;
      const path = `object-locator.${member}`;
      throw this.malformed(path, `object-locator of this kind of rule has no member "${member}".`);
    }
  }

  #take(member: string): unknown {
    this.#known.add(member);
    return Object.hasOwn(this.#rule, member) ? this.#rule[member] : undefined;
  }

  #text(path: string, value: unknown): string {
    if (value === undefined || value === null) throw this.malformed(path, `${path} is missing.`);
    if (typeof value !== "string")
      throw this.malformed(path, `${path} must be a text, not ${jsonKind(value)}.`);
    if (value === "") throw this.malformed(path, `${path} is empty.`);
    return value;
  }

  #error(
    code: ErrorCode,
    details: { readonly member: string; readonly reason: string; readonly remedy: string | undefined },
  ): MigrationError {
    return new MigrationError(code, {
      message: `Error in mapping rules. Rule ${this.#label} failed validation. ${details.reason}`,
      subject: `rule ${this.#label.replace("with ruleId = ", "")}: ${details.member}`,
      ...(details.remedy === undefined ? {} : { remedy: details.remedy }),
    });
  }
}
