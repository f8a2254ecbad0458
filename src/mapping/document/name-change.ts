import type { NameChange } from "../rules.ts";
import type { RuleReader } from "./rule-reader.ts";

/** How a rule changes names; undefined when its action is another one. */
export function nameChange(reader: RuleReader, action: string): NameChange | undefined {
  // The DMS console leaves these at actions that have no use for them.
  reader.optional("value");
  reader.optional("old-value");
  switch (action) {
    case "convert-lowercase":
    case "convert-uppercase":
      return { action };
    case "rename":
      if (reader.has("expression")) throw reader.unsupported("expression", "A rename by expression");
      return { action, value: reader.text("value") };
    case "add-prefix":
    case "remove-prefix":
    case "add-suffix":
    case "remove-suffix":
      return { action, value: reader.text("value") };
    case "replace-prefix":
    case "replace-suffix":
      return { action, oldValue: reader.text("old-value"), value: reader.text("value") };
    default:
      return undefined;
  }
}
