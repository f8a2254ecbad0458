import type { NameChange } from "../rules.ts";
import type { RuleReader } from "./rule-reader.ts";
import { nameActions } from "./vocabulary.ts";

/** How a rule changes names; undefined when its action is another one. */
export function nameChange(reader: RuleReader, named: string): NameChange | undefined {
  // The DMS console leaves these at actions that have no use for them.
  reader.optional("value");
  reader.optional("old-value");
  const action = nameActions.find((known) => known === named);
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
    case undefined:
      return undefined;
  }
}
