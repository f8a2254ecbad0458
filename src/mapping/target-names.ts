import type { TableId } from "../core/schema.ts";
import { changeName, matchesTable, type SchemaRule, type TableMappings, type TableRule } from "./rules.ts";

/**
 * The names that objects get on the target. Of the rules of one level that match, the one with the
 * lowest id is applied and no other; a schema's and a table's rule add up. Locators match source
 * names. A schema that a rule renames is not subject to the task setting TargetSchema.
 */
export class TargetNames {
  readonly #mappings: TableMappings;
  readonly #targetSchema: string | undefined;
  readonly #schemas = new Map<string, string>();

  constructor(mappings: TableMappings, targetSchema: string | undefined) {
    this.#mappings = mappings;
    this.#targetSchema = targetSchema === "" ? undefined : targetSchema;
  }

  schema(source: string): string {
    let target = this.#schemas.get(source);
    if (target === undefined) {
      const rule = this.#schemaRule(source);
      target = rule === undefined ? (this.#targetSchema ?? source) : changeName(source, rule.change);
      this.#schemas.set(source, target);
    }
    return target;
  }

  table(source: TableId): TableId {
    const rule = this.#tableRule(source);
    const name = rule === undefined ? source.name : changeName(source.name, rule.change);
    return { schema: this.schema(source.schema), name };
  }

  /** For types and sequences: they move with their schema and keep their own name. */
  withinSchema(source: TableId): TableId {
    return { schema: this.schema(source.schema), name: source.name };
  }

  /** The ids of the rules by which a table gets its name on the target. */
  rulesOf(source: TableId): readonly number[] {
    return [this.#schemaRule(source.schema), this.#tableRule(source)].flatMap((rule) => rule?.id ?? []);
  }

  #schemaRule(source: string): SchemaRule | undefined {
    return this.#mappings.schemaRules.find(({ schema }) => schema.matches(source));
  }

  #tableRule(source: TableId): TableRule | undefined {
    return this.#mappings.tableRules.find((rule) => matchesTable(rule, source));
  }
}
