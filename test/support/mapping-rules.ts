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
