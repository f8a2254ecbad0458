import type { ErrorKind } from "../error.ts";

/** Wrong use: a command line, a document, a setting. */
export const usageErrors = {
  "usage.invalid": {
    scope: "usage",
    retry: "never",
    meaning: "The command line or the request is not understood.",
    remedy: "Run the command with --help for its form and an example.",
  },
  "usage.node_version": {
    scope: "usage",
    retry: "never",
    meaning: "Tideway was started with a Node that is too old, and none came with it.",
    remedy: "Install Node 24 or newer, or run npm ci without --omit=optional: on Linux it brings one.",
  },
  "usage.run_in_progress": {
    scope: "usage",
    retry: "never",
    meaning:
      "Another `tideway migrate` with the same source, target and mappings is running, or another `tideway validate` with the same file of --resume.",
    remedy: "Wait for it or stop it with Ctrl-C; then the same command resumes.",
  },
  "engine.unknown": {
    scope: "usage",
    retry: "never",
    meaning: "No engine of that name, alias or URL scheme.",
    remedy: "Use one of the engines that `aws dms describe-endpoint-types` lists.",
  },
  "endpoint.url_malformed": {
    scope: "usage",
    retry: "never",
    meaning: "A connection URL cannot be read.",
    remedy:
      "Write it as postgresql://user:password@host:port/database or mysql://user:password@host:port/database, special characters percent-encoded.",
  },
  "endpoint.setting_invalid": {
    scope: "usage",
    retry: "never",
    meaning: "An endpoint setting is unknown or has a value outside its range.",
    remedy: "See `aws dms describe-endpoint-settings` for names, types and ranges.",
  },
  "settings.malformed": {
    scope: "usage",
    retry: "never",
    meaning: "The task settings document is not JSON or a setting has a wrong type or value.",
    remedy: "Correct the named setting; docs/reference/settings.md lists all with their ranges.",
  },
  "mapping.malformed": {
    scope: "usage",
    retry: "never",
    meaning: "The table mappings document is not JSON or a rule is not well formed.",
    remedy: "Correct the named rule; the message says what it lacks.",
  },
  "mapping.unsupported": {
    scope: "usage",
    retry: "never",
    meaning: "A rule is valid in AWS DMS but not built in this version; it is refused rather than ignored.",
    remedy: "Remove the named rule or wait for a version that has it.",
  },
  "mapping.no_tables": {
    scope: "task",
    retry: "never",
    meaning: "The selection rules match no table of the source.",
    remedy: "Check schema and table names: they are matched case-sensitively.",
    passOver:
      "There is nothing to be moved; with ErrorBehavior.FailOnNoTablesCaptured off a task starts all the same.",
  },
  "mapping.target_clash": {
    scope: "task",
    retry: "never",
    meaning: "Two source tables come to the same target table.",
    remedy: "Change the rename rules so that every table gets a name of its own.",
    passOver: "Rows of two tables would be mixed up.",
  },
  "mapping.table_name_invalid": {
    scope: "table",
    retry: "never",
    meaning: "A rename rule gives a table a name that is empty or too long for the target.",
    remedy: "Change the rename rules so that the name has 1 to 63 bytes.",
    passOver: "The table would get another name than the rule gives it.",
  },
  "mapping.schema_name_invalid": {
    scope: "task",
    retry: "never",
    meaning: "A rename rule or TargetSchema gives a schema a name that is empty or too long for the target.",
    remedy: "Change the rule or the setting so that the name has 1 to 63 bytes.",
    passOver: "The schema would get another name than the rule gives it.",
  },
  "mapping.column_unknown": {
    scope: "table",
    retry: "never",
    meaning: "A rule names a column that the table has not.",
    remedy: "Correct the name, which is matched case-sensitively, or leave the table out of the rule.",
    passOver: "The table would come otherwise than its rules say.",
  },
  "mapping.column_clash": {
    scope: "table",
    retry: "never",
    meaning: "Two columns of a table get one name on the target.",
    remedy: "Change the named rules so that every column gets a name of its own.",
    passOver: "The table would come otherwise than its rules say.",
  },
  "mapping.column_name_invalid": {
    scope: "table",
    retry: "never",
    meaning: "A rule gives a column a name that is empty or too long for the target.",
    remedy: "Change the rules so that the name has 1 to 63 bytes.",
    passOver: "The table would come otherwise than its rules say.",
  },
  "mapping.rule_impossible": {
    scope: "table",
    retry: "never",
    meaning:
      "A rule cannot be carried out for a column: its values have no form in the wanted type, a mask would leave no value of it, an expression is none, a condition cannot be compared, or a table cannot be parted that way.",
    remedy: "Change the rule that the message names; docs/table-mappings.md says what is possible.",
    passOver: "The table would come otherwise than its rules say.",
  },
  "mapping.rule_unmatched": {
    scope: "task",
    retry: "never",
    meaning: "A rule matches nothing of the source, or nothing that is selected.",
    remedy: "Check the names in its object-locator, which are matched case-sensitively.",
    ignored: "What the rule was meant for comes without it, or not at all.",
  },
  "mapping.value_cut": {
    scope: "table",
    retry: "never",
    meaning:
      "Large objects are limited in size, by the table mappings or the task's settings, and values that are longer are cut off, or refused.",
    remedy:
      "Raise the limit, or have the values come whole: by lob-settings with the mode unlimited, or by FullLobMode. Then reload the table.",
  },
  "mapping.rules_changed": {
    scope: "table",
    retry: "never",
    meaning:
      "The table mappings, or settings that decide what comes of a table, were changed after its rows had come to the target: those that are there were made by other rules than those that follow would be.",
    remedy:
      "Reload the table, so that all of its rows are made by the rules of now; next time, take a change back before the task is resumed if it was not meant.",
  },
  "mapping.mask_incomplete": {
    scope: "table",
    retry: "never",
    meaning:
      "A column that the source, or an expression of the table mappings, makes of one that is masked comes without a mask.",
    remedy:
      "Mask or remove that column by a rule, too, or see to it that its expression shows nothing that is to be hidden.",
  },
  "mapping.mask_overflow": {
    scope: "table",
    retry: "never",
    meaning:
      "A mask puts digits into whole numbers that may become larger than the column's type has room for.",
    remedy:
      "Mask by a lower digit or give the column a wider type by a rule change-data-type; else DataErrorPolicy says what becomes of such rows.",
  },
  "mapping.key_lost": {
    scope: "table",
    retry: "never",
    meaning: "Rules take away or mask columns by which the rows that change are found on the target.",
    remedy:
      "Leave the columns of the table's key as they are, have the source log whole rows, or make the task a full load.",
    passOver: "Changes would not find their rows.",
  },
  "mapping.value_may_lack": {
    scope: "table",
    retry: "never",
    meaning: "A rule needs values that the source does not send with every change.",
    remedy:
      "Have the source log whole rows of the table (REPLICA IDENTITY FULL on PostgreSQL, a table without a key on MySQL).",
    passOver: "Changes would lack values.",
  },
  "settings.no_effect": {
    scope: "task",
    retry: "never",
    meaning:
      "A setting of the task or of an endpoint is kept and returned but has no effect in this version, or its name is not known.",
    remedy: "None needed if you can do without it; docs/reference/settings.md says what happens instead.",
    ignored: "The task runs without what the setting asks for.",
  },
  "settings.unsupported": {
    scope: "task",
    retry: "never",
    meaning: "A task setting asks for something this version does not do and that cannot be passed over.",
    remedy: "Give the setting its default; docs/reference/settings.md says what happens instead.",
    passOver: "The target would become other than the setting asks for.",
  },
  "position.malformed": {
    scope: "usage",
    retry: "never",
    meaning: "A start or stop position is not written in the engine's form.",
    remedy:
      "Use the form in docs/engines for the source's engine: an LSN such as 16/B374D848 for PostgreSQL; GTIDs or a file and place such as bin.000024:373 for MySQL and MariaDB.",
  },
} as const satisfies Record<string, ErrorKind>;
