/* Rules of a table mappings document, as AWS writes them. */

export const everything = {
  "rule-type": "selection",
  "rule-id": "1",
  "rule-name": "1",
  "object-locator": { "schema-name": "%", "table-name": "%" },
  "rule-action": "include",
};

export const rename = {
  "rule-type": "transformation",
  "rule-id": "2",
  "rule-name": "2",
  "rule-target": "table",
  "object-locator": { "schema-name": "%", "table-name": "a" },
  "rule-action": "rename",
  value: "b",
};

/** Rules about one schema, each with a number of its own. */
export class RuleNumbers {
  readonly #schema: string;
  #last = 0;

  constructor(schema: string) {
    this.#schema = schema;
  }

  readonly selection = (name: string, filters: readonly object[] = []): object => ({
    ...this.#numbered("selection"),
    ...{ "object-locator": { "schema-name": this.#schema, "table-name": name } },
    ...{ "rule-action": "include", filters },
  });

  /** A rule about a column; `locator`: the table's name, and the column's where it is one of the source's. */
  readonly rule = (
    locator: { readonly "table-name": string; readonly "column-name"?: string },
    action: string,
    more: object = {},
  ): object => ({
    ...{ ...this.#numbered("transformation"), "rule-target": "column", "rule-action": action },
    ...{ "object-locator": { "schema-name": this.#schema, ...locator }, ...more },
  });

  #numbered(type: string): object {
    const id = String(++this.#last);
    return { "rule-type": type, "rule-id": id, "rule-name": id };
  }
}
