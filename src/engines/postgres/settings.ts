import type { EndpointSetting } from "../../core/engine.ts";
import { credentialSettings, executeTimeout, maxFileSize } from "../shared/endpoint-settings.ts";

const NO_HEARTBEAT =
  "No effect: Tideway confirms the source's log also when no table of the task changes, so it needs no heartbeat table.";
const NO_BABELFISH = "No effect: Tideway speaks PostgreSQL's own protocol to every server.";

/**
 * The members of DMS's PostgreSQLSettings that are not the connection itself (server, port, database,
 * user and password stand in the endpoint). Kept and returned all; `effective` tells what Tideway acts on.
 */
export const endpointSettings: readonly EndpointSetting[] = [
  {
    name: "AfterConnectScript",
    type: "string",
    appliesTo: "target",
    effective: true,
    describe:
      "SQL that each session on the target runs first, e.g. SET ROLE owner. Not needed for session_replication_role: Tideway sets that by itself where it may.",
  },
  {
    name: "SlotName",
    type: "string",
    appliesTo: "source",
    effective: true,
    describe:
      "A logical replication slot of plugin pgoutput to read from, which makes any start position from where it stands on possible. Slot and publication of this name are made by you, the publication first, and never altered or dropped by Tideway.",
  },
  {
    name: "PluginName",
    type: "enum",
    values: ["no-preference", "pglogical", "test-decoding"],
    default: "no-preference",
    appliesTo: "source",
    effective: false,
    describe: "No effect: Tideway always reads by pgoutput, which every server from version 10 on has.",
  },
  {
    name: "CaptureDdls",
    type: "boolean",
    default: true,
    appliesTo: "source",
    effective: true,
    describe:
      "False: no event triggers are made on the source, and of schema changes only new columns and tables are followed.",
  },
  {
    name: "DdlArtifactsSchema",
    type: "string",
    default: "public",
    appliesTo: "source",
    effective: true,
    describe: "The schema of the function behind the event triggers that note schema changes.",
  },
  executeTimeout,
  maxFileSize,
  {
    name: "FailTasksOnLobTruncation",
    type: "boolean",
    default: false,
    appliesTo: "source",
    effective: true,
    describe:
      "True: the task fails at a value that would be cut off, whatever DataTruncationErrorPolicy says. Values are cut off only where the table mappings or the task's settings ask for it.",
  },
  {
    name: "HeartbeatEnable",
    type: "boolean",
    default: false,
    appliesTo: "source",
    effective: false,
    describe: NO_HEARTBEAT,
  },
  {
    name: "HeartbeatSchema",
    type: "string",
    default: "public",
    appliesTo: "source",
    effective: false,
    describe: NO_HEARTBEAT,
  },
  {
    name: "HeartbeatFrequency",
    type: "integer",
    default: 5,
    min: 1,
    units: "minutes",
    appliesTo: "source",
    effective: false,
    describe: NO_HEARTBEAT,
  },
  {
    name: "TrimSpaceInChar",
    type: "boolean",
    default: true,
    appliesTo: "both",
    effective: true,
    describe:
      "False: the spaces that fill up character(n) belong to its values on MySQL, where the column is a varchar. Else they are left out, which is how PostgreSQL compares them. Between PostgreSQL servers such values stay as they are.",
  },
  {
    name: "MapBooleanAsBoolean",
    type: "boolean",
    default: false,
    appliesTo: "both",
    effective: true,
    describe:
      "False, given on the source: booleans are varchar(5) on MySQL, true and false. When it is left out they are tinyint(1) there, unlike in AWS DMS. PostgreSQL as target has booleans, whatever is set.",
  },
  {
    name: "MapJsonbAsClob",
    type: "boolean",
    default: false,
    appliesTo: "both",
    effective: true,
    describe:
      "True, given on the source: json and jsonb are longtext on MySQL, which keeps numbers of any length; else they are json. Between PostgreSQL servers they stay what they are.",
  },
  {
    name: "MapLongVarcharAs",
    type: "enum",
    values: ["clob", "nclob", "wstring"],
    default: "wstring",
    appliesTo: "both",
    effective: false,
    describe:
      "No effect: texts without a limit have none on the target either, whatever they are called on the way.",
  },
  {
    name: "DisableUnicodeSourceFilter",
    type: "boolean",
    default: false,
    appliesTo: "source",
    effective: false,
    describe: "No effect: rows are not filtered by the source's values.",
  },
  {
    name: "DatabaseMode",
    type: "enum",
    values: ["babelfish", "default"],
    default: "default",
    appliesTo: "both",
    effective: false,
    describe: NO_BABELFISH,
  },
  {
    name: "BabelfishDatabaseName",
    type: "string",
    appliesTo: "both",
    effective: false,
    describe: NO_BABELFISH,
  },
  ...credentialSettings,
];
