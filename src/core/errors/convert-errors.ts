import type { ErrorKind } from "../error.ts";

/** What a database of one kind has and one of another kind has not: told before the start, see `Target.convert`. */
export const convertErrors = {
  "convert.type": {
    scope: "table",
    retry: "never",
    meaning:
      "Columns get a type on the target that allows other values than the source's, or shows them otherwise.",
    remedy: "Look at the columns. Make the table on the target before the task if it is to have other types.",
  },
  "convert.default": {
    scope: "table",
    retry: "never",
    meaning: "A column's default has no equal on the target and is left out.",
    remedy:
      "Rows that are moved have their values. Give the column a default on the target before others write.",
  },
  "convert.on_update": {
    scope: "table",
    retry: "never",
    meaning: "A column takes the current time whenever its row is updated; the target has no such columns.",
    remedy: "Rows that are moved have their values. Make a trigger on the target before others write.",
  },
  "convert.generated": {
    scope: "table",
    retry: "never",
    meaning:
      "A generated column's expression is the source's; the target's column is an ordinary one with its values.",
    remedy: "Let the target compute the column before others write, if they rely on it.",
  },
  "convert.index": {
    scope: "table",
    retry: "never",
    meaning: "An index has no equal on the target and is left out.",
    remedy: "Make an index of the target's own kind after the load.",
  },
  "convert.check": {
    scope: "table",
    retry: "never",
    meaning: "A check constraint is written in the source's dialect and is left out.",
    remedy: "Rows that are moved satisfy it. Add it on the target in its own words before others write.",
  },
  "convert.reference": {
    scope: "table",
    retry: "never",
    meaning: "A foreign key refers to columns that the target cannot have one to, and is left out.",
    remedy: "Give the referenced columns a unique index, or columns of one type, on the target.",
  },
  "convert.object": {
    scope: "task",
    retry: "never",
    meaning: "Views, routines, rights and the like are texts of the source's dialect and are left out.",
    remedy: "Make on the target by hand what is needed.",
  },
  "convert.name": {
    scope: "table",
    retry: "never",
    meaning: "Names that the target cannot have, or that are taken there, become others.",
    remedy: "None needed, unless something refers to the objects by name.",
  },
  "convert.collation": {
    scope: "task",
    retry: "never",
    meaning: "The source compares texts without regard to case or accents, the target by every character.",
    remedy:
      "Look at queries, unique constraints and foreign keys that rely on it; on the target lower() or a collation of its own serves.",
  },
} as const satisfies Record<string, ErrorKind>;
