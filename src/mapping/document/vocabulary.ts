/*
 * The words that a document chooses among. Readers of rules take them from here, and so do the tests that look at what
 * each of them makes of rows in a target: a word without such a test does not pass.
 */

export const selectionActions = ["include", "exclude", "explicit"] as const;

export const tableTypes = ["table", "view", "all"] as const;

export const filterOperators = [
  "eq",
  "noteq",
  "lte",
  "ste",
  "gte",
  "between",
  "notbetween",
  "null",
  "notnull",
] as const;

/** Actions of the rule-targets schema, table and column. */
export const nameActions = [
  "rename",
  "convert-lowercase",
  "convert-uppercase",
  "add-prefix",
  "remove-prefix",
  "replace-prefix",
  "add-suffix",
  "remove-suffix",
  "replace-suffix",
] as const;

/** Actions of the rule-target column alone, on columns of the source, and those that make others. */
export const columnActions = [
  "remove-column",
  "include-column",
  "change-data-type",
  "data-masking-digits-mask",
  "data-masking-digits-randomize",
  "data-masking-hash-mask",
] as const;
export const columnMakers = ["add-column", "add-before-image-columns"] as const;

export const beforeImageFilters = ["pk-only", "non-lob", "all"] as const;

/** Of define-primary-key, an action of the rule-target table alone. */
export const keyOrigins = ["primary-key", "unique-index"] as const;

/** Of a table's lob-settings. */
export const lobModes = ["none", "limited", "unlimited"] as const;

export const parallelLoadTypes = ["none", "partitions-auto", "partitions-list", "ranges"] as const;
