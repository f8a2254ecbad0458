import type { ErrorKind } from "../error.ts";

/** What a database of one kind has and one of another kind has not: told before the start, see `Target.convert`. */
export const convertErrors = {
  "convert.type": {
    scope: "table",
    retry: "never",
    meaning:
      "Columns get a type on the target that allows other values than the source's, or shows them otherwise.",
    remedy: "Look at the columns. Make the table on the target before the task if it is to have other types.",
    passOver: true,
  },
  "convert.row_length": {
    scope: "table",
    retry: "never",
    meaning:
      "The columns of a table that must have a limit take more bytes than a row of MySQL and MariaDB may have (65,535).",
    remedy:
      "Leave columns out or give them a shorter type by rules of the table mappings, or take them out of keys.",
    passOver: true,
  },
  "convert.default": {
    scope: "table",
    retry: "never",
    meaning: "A column's default has no equal on the target and is left out.",
    remedy:
      "Rows that are moved have their values. Give the column a default on the target before others write.",
    ignored: "Rows that are inserted on the target after the switch-over have NULL there, or are refused.",
  },
  "convert.on_update": {
    scope: "table",
    retry: "never",
    meaning: "A column takes the current time whenever its row is updated; the target has no such columns.",
    remedy: "Rows that are moved have their values. Make a trigger on the target before others write.",
    ignored: "The column stays as it is when rows are updated on the target after the switch-over.",
  },
  "convert.generated": {
    scope: "table",
    retry: "never",
    meaning:
      "A generated column's expression is the source's; the target's column is an ordinary one with its values.",
    remedy: "Let the target compute the column before others write, if they rely on it.",
    ignored: "The column stays as it is when rows are written on the target after the switch-over.",
    passOver: "Rows would come without values that they cannot do without.",
  },
  "convert.index": {
    scope: "table",
    retry: "never",
    meaning: "An index has no equal on the target and is left out.",
    remedy: "Make an index of the target's own kind after the load.",
    ignored: "Queries that used the index are slow on the target.",
  },
  "convert.check": {
    scope: "table",
    retry: "never",
    meaning: "A check constraint is written in the source's dialect and is left out.",
    remedy: "Rows that are moved satisfy it. Add it on the target in its own words before others write.",
    ignored: "The target takes rows after the switch-over that the source would have refused.",
  },
  "convert.reference": {
    scope: "table",
    retry: "never",
    meaning: "A foreign key refers to columns that the target cannot have one to, and is left out.",
    remedy: "Give the referenced columns a unique index, or columns of one type, on the target.",
    ignored: "The target takes rows after the switch-over that refer to nothing.",
  },
  "convert.object": {
    scope: "task",
    retry: "never",
    meaning: "Views, routines, rights and the like are texts of the source's dialect and are left out.",
    remedy: "Make on the target by hand what is needed.",
    ignored: "The target lacks the objects: what uses them fails there after the switch-over.",
  },
  "convert.name": {
    scope: "table",
    retry: "never",
    meaning: "Names that the target cannot have, or that are taken there, become others.",
    remedy: "None needed, unless something refers to the objects by name.",
    passOver: "Two tables or columns could become one, or get a name that is cut off.",
  },
  "convert.collation": {
    scope: "task",
    retry: "never",
    meaning: "The source compares texts without regard to case or accents, the target by every character.",
    remedy:
      "Look at queries, unique constraints and foreign keys that rely on it; on the target lower() or a collation of its own serves.",
    ignored:
      "Queries, unique constraints and joins that rely on the source's way to compare find other rows on the target.",
  },
} as const satisfies Record<string, ErrorKind>;
