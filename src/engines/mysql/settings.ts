import type { EndpointSetting } from "../../core/engine.ts";
import { credentialSettings, executeTimeout, maxFileSize } from "../shared/endpoint-settings.ts";

/**
 * The members of DMS's MySQLSettings that are not the connection itself (server, port, database, user and password
 * stand in the endpoint), and after them those that only Tideway has. Kept and returned all; `effective` tells what
 * Tideway acts on.
 */
export const endpointSettings: readonly EndpointSetting[] = [
  {
    name: "AfterConnectScript",
    type: "string",
    appliesTo: "target",
    effective: true,
    describe:
      "SQL that each session on the target runs first. Not needed for foreign_key_checks: Tideway turns them off for itself where rows come in another order.",
  },
  {
    name: "CleanSourceMetadataOnMismatch",
    type: "boolean",
    default: false,
    appliesTo: "source",
    effective: false,
    describe: "No effect: a table that has changed is described anew, by itself.",
  },
  {
    name: "EventsPollInterval",
    type: "integer",
    default: 5,
    min: 1,
    units: "seconds",
    appliesTo: "source",
    effective: false,
    describe: "No effect: the source sends what it writes to its binary log at once, and is not polled.",
  },
  {
    name: "TargetDbType",
    type: "enum",
    values: ["specific-database", "multiple-databases"],
    default: "multiple-databases",
    appliesTo: "target",
    effective: true,
    describe:
      "specific-database: everything goes to the database that the endpoint names, unless a schema rule or TargetSchema says otherwise. multiple-databases: each schema to the database of its name.",
  },
  maxFileSize,
  {
    name: "ParallelLoadThreads",
    type: "integer",
    default: 1,
    min: 1,
    appliesTo: "target",
    effective: false,
    describe: "No effect: how much is loaded at once is MaxFullLoadSubTasks of the task.",
  },
  {
    name: "ServerTimezone",
    type: "string",
    appliesTo: "source",
    effective: false,
    describe:
      "No effect: TIMESTAMP columns are moments and are read as such; DATETIME columns stay what they show, in no zone.",
  },
  executeTimeout,
  ...credentialSettings,
  {
    name: "TreatTinyInt1AsBoolean",
    type: "boolean",
    default: false,
    appliesTo: "source",
    effective: true,
    describe: "TINYINT(1) is a boolean, every number but 0 true; else it is the small number that it holds.",
  },
  {
    name: "MapTimeAsTime",
    type: "boolean",
    default: false,
    appliesTo: "source",
    effective: true,
    describe:
      "TIME becomes a time of day, and a row with a value outside of one day is refused (DataErrorPolicy); else an interval, which holds all that TIME does (-838:59:59 to 838:59:59).",
  },
  {
    name: "ZeroDates",
    type: "enum",
    values: ["keep", "null", "error", "epoch"],
    default: "keep",
    appliesTo: "source",
    effective: true,
    describe:
      "What becomes of dates that no calendar has, such as 0000-00-00 and 2024-02-00. keep: they stay what they are where the target has them (MySQL and MariaDB, in columns whose type no rule gives, of tables that no rule filters), and are NULL elsewhere. Else NULL, an error that sets the table aside, or 1970-01-01. How many came as others is told.",
  },
  {
    name: "NonFiniteNumbers",
    type: "enum",
    values: ["error", "null"],
    default: "error",
    appliesTo: "target",
    effective: true,
    describe:
      "What becomes of NaN and infinite numbers, which the types here have not: an error that sets the table aside, or NULL. How many there were is told.",
  },
  {
    name: "OutOfRangeDates",
    type: "enum",
    values: ["error", "null", "limit"],
    default: "error",
    appliesTo: "target",
    effective: true,
    describe:
      "What becomes of infinite dates and of those of years before 1 or after 9999, which the types here have not: an error that sets the table aside, NULL, or the first or last date that the column can hold. How many there were is told.",
  },
];
