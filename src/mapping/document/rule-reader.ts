import { type ErrorCode, MigrationError } from "../../core/error.ts";

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
 * Takes one object of a rule apart member by member. Every member has to be asked for: `finish` refuses what is
 * left, so that nothing in a document is passed over in silence. Errors name the rule and the member's path.
 */
export class MemberReader {
  /** As errors show the rule: its id, or its place when it has none. */
  protected label: string;
  readonly #path: string;
  readonly #object: JsonObject;
  readonly #known = new Set<string>();

  constructor(label: string, path: string, object: unknown) {
    this.label = label;
    this.#path = path;
    if (!isJsonObject(object)) {
      const what = path === "" ? "It" : path;
      throw this.#error("mapping.malformed", {
        ...{ member: path || "rules", remedy: undefined },
        reason:
          object === undefined
            ? `${what} is missing.`
            : `${what} must be an object, not ${jsonKind(object)}.`,
      });
    }
    this.#object = object;
  }

  malformed(member: string, reason: string, remedy?: string): MigrationError {
    return this.#error("mapping.malformed", { member: this.#pathOf(member), reason, remedy });
  }

  /** For what DMS allows and Tideway does not have. */
  unsupported(member: string, what: string, remedy?: string): MigrationError {
    const reason = `${what} is not supported by this version of Tideway.`;
    return this.refused(member, reason, remedy);
  }

  /** For what DMS allows and cannot be done here; `reason` is a whole sentence. */
  refused(member: string, reason: string, remedy?: string): MigrationError {
    return this.#error("mapping.unsupported", { member: this.#pathOf(member), reason, remedy });
  }

  /** One of `values`, or undefined when it is none of them but some other text. */
  choice<Value extends string>(member: string, values: readonly Value[]): Value | undefined {
    const value = this.text(member);
    return values.find((candidate) => candidate === value);
  }

  /** A text that is there and not empty. */
  text(member: string): string {
    const path = this.#pathOf(member);
    const value = this.take(member);
    if (value === undefined || value === null) throw this.malformed(member, `${path} is missing.`);
    if (typeof value !== "string") {
      throw this.malformed(member, `${path} must be a text, not ${jsonKind(value)}.`);
    }
    if (value === "") throw this.malformed(member, `${path} is empty.`);
    return value;
  }

  /** A text, perhaps empty; undefined when it is absent or null. */
  optionalText(member: string): string | undefined {
    const value = this.optional(member);
    if (value === undefined || typeof value === "string") return value;
    throw this.malformed(member, `${this.#pathOf(member)} must be a text, not ${jsonKind(value)}.`);
  }

  /** Texts where a value of a column is meant: DMS's documents have numbers, too, as texts or as they are. */
  scalar(member: string): string {
    const value = this.take(member);
    if (typeof value === "number" && Number.isFinite(value)) return String(value);
    if (typeof value === "string") return value;
    const path = this.#pathOf(member);
    if (value === undefined || value === null) throw this.malformed(member, `${path} is missing.`);
    throw this.malformed(member, `${path} must be a text or a number, not ${jsonKind(value)}.`);
  }

  /** A whole number in the given bounds, also as a text; undefined when it is absent, null or empty. */
  wholeNumber(member: string, least: number, most: number): number | undefined {
    const value = this.optional(member);
    if (value === undefined || value === "") return undefined;
    const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
    if (typeof number === "number" && Number.isInteger(number) && number >= least && number <= most)
      return number;
    throw this.malformed(member, `${this.#pathOf(member)} must be a whole number from ${least} to ${most}.`);
  }

  /** A list; an absent one is empty. */
  list(member: string): readonly unknown[] {
    const value = this.optional(member) ?? [];
    if (Array.isArray(value)) return value;
    throw this.malformed(member, `${this.#pathOf(member)} must be a list, not ${jsonKind(value)}.`);
  }

  /** A list of texts that are not empty and differ. */
  texts(member: string): readonly string[] {
    const path = this.#pathOf(member);
    const texts = this.list(member).map((value) => {
      if (typeof value === "string" && value !== "") return value;
      throw this.malformed(member, `${path} must be a list of texts.`);
    });
    if (new Set(texts).size < texts.length) throw this.malformed(member, `${path} names something twice.`);
    return texts;
  }

  /** The object that a member is. */
  part(member: string): MemberReader {
    const value = this.take(member);
    return new MemberReader(this.label, this.#pathOf(member), value === null ? undefined : value);
  }

  /** Each object of a list. */
  parts(member: string): readonly MemberReader[] {
    return this.list(member).map((value, i) => {
      return new MemberReader(this.label, `${this.#pathOf(member)}[${i}]`, value);
    });
  }

  /** A member that may be absent or null; its value is not checked. */
  optional(member: string): unknown {
    const value = this.take(member);
    return value === null ? undefined : value;
  }

  /** Whether a member is there and asks for something; it still has to be taken. */
  has(member: string): boolean {
    return Object.hasOwn(this.#object, member) && !asksForNothing(this.#object[member]);
  }

  /** Refuses whatever has not been asked for and would ask for something, unless its value passes. */
  finish(passes: (value: unknown) => boolean = () => false): void {
    for (const member of this.unknown()) {
      if (passes(this.#object[member])) continue;
      const whole = this.#path === "object-locator" ? "object-locator of this kind of rule" : this.#path;
      throw this.malformed(member, `${whole} has no member "${member}".`);
    }
  }

  protected unknown(): readonly string[] {
    const members = Object.keys(this.#object);
    return members.filter((member) => !this.#known.has(member) && !asksForNothing(this.#object[member]));
  }

  protected take(member: string): unknown {
    this.#known.add(member);
    return Object.hasOwn(this.#object, member) ? this.#object[member] : undefined;
  }

  #pathOf(member: string): string {
    return this.#path === "" ? member : `${this.#path}.${member}`;
  }

  #error(code: ErrorCode, details: RuleFault): MigrationError {
    return ruleError(code, this.label, details);
  }
}

interface RuleFault {
  readonly member: string;
  readonly reason: string;
  readonly remedy?: string | undefined;
}

/** An error of one rule in AWS's words, which tools look for. */
export function ruleError(
  code: ErrorCode,
  label: string,
  { member, reason, remedy }: RuleFault,
): MigrationError {
  return new MigrationError(code, {
    message: `Error in mapping rules. Rule ${label} failed validation. ${reason}`,
    subject: `rule ${label.replace(/^with ruleId = /, "")}: ${member}`,
    ...(remedy === undefined ? {} : { remedy }),
  });
}

/** Takes a rule apart: its members, and those of its object-locator. */
export class RuleReader extends MemberReader {
  #locator: MemberReader | undefined;

  constructor(rule: unknown, place: number) {
    super(`at place ${place}`, "", rule);
    const id = (rule as JsonObject)["rule-id"];
    if (typeof id === "number" || (typeof id === "string" && id !== "")) this.label = `with ruleId = ${id}`;
  }

  /** DMS writes ids as texts; numbers are seen in the wild. */
  id(): number {
    const value = this.take("rule-id");
    if (value === undefined || value === null) throw this.malformed("rule-id", "rule-id is missing.");
    const id = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
    if (typeof id === "number" && Number.isSafeInteger(id) && id >= 0) return id;
    throw this.malformed("rule-id", "rule-id must be a whole number, not negative, unique in the document.");
  }

  locator(): MemberReader {
    this.#locator ??= this.part("object-locator");
    return this.#locator;
  }

  /**
   * Refuses whatever has not been asked for and would ask for something. A member of the locator that is a pattern for
   * everything asks for nothing.
   */
  override finish(): void {
    for (const member of this.unknown()) throw this.unsupported(member, `"${member}"`);
    this.locator().finish((value) => value === "%");
  }
}
