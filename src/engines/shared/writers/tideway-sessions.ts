/** What sessions of Tideway are for, as servers show it, that may write to tables of a target. */
export const WRITING_PURPOSES: readonly string[] = [
  "tideway apply",
  "tideway load",
  "tideway build",
  "tideway target",
  "tideway repair",
];
