/**
 * Writes docs/reference from the tables that the program itself works by. `--check` writes nothing and
 * exits with 1 when a page is not what it should be.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import * as sdk from "@aws-sdk/client-database-migration-service";
import { builtOperations } from "../src/api/operations.ts";
import type { EndpointSetting, Engine } from "../src/core/engine.ts";
import type { ErrorKind } from "../src/core/error.ts";
import { errorTable } from "../src/core/error-table.ts";
import { registry } from "../src/server/engines.ts";
import { type AssessmentName, assessmentNames, type Subject } from "../src/task/assessment-names.ts";
import { type SettingsSection, settingsSections, type TaskSetting } from "../src/task/settings-table.ts";
import { describeValue, type SettingValue } from "../src/task/settings-value.ts";

const retries: Readonly<Record<ErrorKind["retry"], string>> = {
  backoff: "yes",
  "once-worked": "once it has worked",
  never: "no",
};

const directory = new URL("../docs/reference/", import.meta.url);

const WHEN_LEFT_OUT: Readonly<Record<SettingsSection["default"], readonly string[]>> = {
  settings: [],
  null: ["This section is null unless it is given."],
  absent: ["This section is not there unless it is given."],
};

const pages: Readonly<Record<string, string>> = {
  "assessments.md": assessmentsPage(),
  "errors.md": errorsPage(),
  "operations.md": operationsPage(),
  "settings.md": settingsPage(),
};

const stale: string[] = [];
if (process.argv.includes("--check")) {
  for (const [name, text] of Object.entries(pages)) {
    if ((await readFile(new URL(name, directory), "utf8").catch(() => "")) !== text) stale.push(name);
  }
} else {
  await mkdir(directory, { recursive: true });
  for (const [name, text] of Object.entries(pages)) await writeFile(new URL(name, directory), text);
}
for (const name of stale) {
  const path = fileURLToPath(new URL(name, directory));
  process.stderr.write(`${path} is out of date: run node scripts/reference.ts\n`);
}
process.exitCode = stale.length > 0 ? 1 : 0;

function errorsPage(): string {
  const kinds: readonly (readonly [string, ErrorKind])[] = Object.entries(errorTable);
  const groups = new Map<string, (readonly [string, ErrorKind])[]>();
  for (const kind of kinds) {
    const group = kind[0].slice(0, kind[0].indexOf("."));
    groups.set(group, [...(groups.get(group) ?? []), kind]);
  }
  return page("Errors", [
    "Every error and every finding of an assessment has one of these codes. It is in the log, in the " +
      "table statistics, in the failure message that the API returns and in what the command line prints.",
    "**Takes with it** says how far an error reaches: a `table` is set aside while the others go on; a " +
      "`task` ends; `usage` means that what was asked for was refused; `server` that the service cannot go " +
      "on. **Tried again** says whether Tideway repeats by itself what failed. A finding of severity `warning` or `info` may " +
      "be passed over: what happens then stands at the end of its meaning.",
    "**Start all the same** is about errors of an assessment: `yes` where `TidewaySettings.AssessmentPassOver`, or `--pass-over`, " +
      "may name the code, because a server, or the step that needs it, refuses what it is about when it comes to it; else why it may not.",
    ...[...groups].flatMap(([group, rows]) => [
      `## ${group}`,
      table(
        ["Code", "Meaning", "What to do", "Takes with it", "Tried again", "Start all the same"],
        rows.map(([code, kind]) => [
          `<a id="${code}"></a>\`${code}\``,
          kind.ignored === undefined ? kind.meaning : `${kind.meaning} If it is passed over: ${kind.ignored}`,
          kind.remedy,
          kind.scope,
          retries[kind.retry],
          passOverText(kind),
        ]),
      ),
    ]),
  ]);
}

function passOverText({ passOver }: ErrorKind): string {
  if (passOver === undefined) return "";
  return passOver === true ? "yes" : `no: ${passOver}`;
}

function assessmentsPage(): string {
  const [skipped, looked] = [true, false].map((isSkipped) =>
    assessmentNames.filter(({ about }) => (typeof about === "string") === isSkipped),
  );
  return page("Individual assessments", [
    "AWS DMS's individual assessments that are about PostgreSQL, MySQL or MariaDB, or about all engines, under AWS's names. " +
      "Those of a MariaDB endpoint begin with `mariadb-` in the place of `mysql-`. A run may name any of them, and " +
      "`tideway-check-other-findings`, which is about all that no other is about.",
    "## Looked at",
    "Each fails by an error, and shows `warning` by a warning, of the codes that it names; in italics: by what is only worth " +
      "knowing, too. Where a code has several kinds of findings, those with such a subject or such words count.",
    table(
      ["Name", "Where", "By"],
      looked!.map((one) => [
        `\`${one.name}\``,
        placeOf(one),
        (one.about as readonly Subject[]).map((subject) => subjectText(subject, one.minor)).join(", "),
      ]),
    ),
    "## Skipped",
    "These are about limits that Tideway has not. A run accepts their names, and their status is `skipped`.",
    table(
      ["Name", "Where", "Why"],
      skipped!.map((one) => [`\`${one.name}\``, placeOf(one), one.about as string]),
    ),
  ]);
}

function placeOf({ source, target, mariadb, captures }: AssessmentName): string {
  const engines = { postgres: "PostgreSQL", mysql: mariadb === true ? "MariaDB" : "MySQL, MariaDB" };
  const places = [
    ...(source === undefined ? [] : [`source ${engines[source]}`]),
    ...(target === undefined ? [] : [`target ${engines[target]}`]),
    ...(captures === undefined ? [] : ["changes"]),
  ];
  return places.length === 0 ? "all" : places.join("; ");
}

function subjectText(subject: Subject, minor: true | undefined): string {
  const code = typeof subject === "string" ? subject : "says" in subject ? subject.code : subject[0];
  const kind = typeof subject === "string" ? undefined : "says" in subject ? subject.says : subject[1];
  const link = `[\`${code}\`](errors.md#${code})`;
  const named = minor === true ? `*${link}*` : link;
  return kind === undefined ? named : `${named} (\`${kind.source}\`)`;
}

/** Every operation of AWS's model is a command class of the SDK. */
function operationsPage(): string {
  const all = Object.keys(sdk)
    .filter((name) => /^[A-Z].*[a-z]Command$/.test(name))
    .map((name) => name.slice(0, -"Command".length));
  const missing = all.filter((name) => !builtOperations.includes(name)).sort();
  const list = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(", ");
  return page("Operations", [
    `Of the ${all.length} operations of AWS DMS this version has ${builtOperations.length}. How they differ from ` +
      "AWS's, where they do, is in [docs/api.md](../api.md).",
    "## Built",
    list(builtOperations.toSorted()),
    "## Not built yet",
    "Each answers with an `InvalidOperationFault` that names it.",
    list(missing),
  ]);
}

function settingsPage(): string {
  return page("Settings", [
    "## Task settings",
    "The document that `--replication-task-settings` and `tideway migrate --settings` take: JSON in the " +
      "form of AWS DMS, any part of it. What it leaves out has its default. Everything that is given is " +
      "kept and returned as it was, unknown members too.",
    "Settings **in bold** act in Tideway. The others are there so that documents written for AWS DMS keep " +
      "working; the last column says what happens instead. A task that sets one of them to another value " +
      "than its default is told so: by a warning where that could be missed, and by the error " +
      "`settings.unsupported`, before anything is changed, where the target would become other than asked for.",
    ...settingsSections.flatMap(sectionParts),
    ...registry.engines.flatMap(engineParts),
  ]);
}

function sectionParts({ name, default: whenLeftOut, settings }: SettingsSection): readonly string[] {
  return [
    name === "" ? "### Outside of sections" : `### ${name}`,
    ...WHEN_LEFT_OUT[whenLeftOut],
    table(["Setting", "Value", "Default", "Meaning in AWS DMS", "In Tideway"], settings.map(settingRow)),
  ];
}

function settingRow({ name, value, about, effect }: TaskSetting): readonly string[] {
  if ("does" in effect) {
    return [`**\`${name}\`**`, describeValue(value), defaultText(value), about, effect.does];
  }
  const refusal = effect.passedOver === "error" ? " Another value is refused." : "";
  return [`\`${name}\``, describeValue(value), defaultText(value), about, `${effect.insteadOf}${refusal}`];
}

function defaultText(value: SettingValue): string {
  if (value.default === undefined) return "";
  if (value.type === "log-components") return `${value.default.map(({ Id }) => `\`${Id}\``).join(" ")}`;
  return `\`${JSON.stringify(value.default)}\``;
}

function engineParts({ displayName, settingsMember, endpointSettings }: Engine): readonly string[] {
  return [
    `## Endpoint settings: ${displayName}`,
    `Members of \`${settingsMember}\` in \`create-endpoint\` and \`modify-endpoint\`, beside the connection ` +
      "itself. Settings **in bold** act in Tideway.",
    table(["Setting", "For", "Value", "Default", "In Tideway"], endpointSettings.map(endpointRow)),
  ];
}

function endpointRow(setting: EndpointSetting): readonly string[] {
  const name = setting.effective ? `**\`${setting.name}\`**` : `\`${setting.name}\``;
  const standard = setting.default === undefined ? "" : `\`${JSON.stringify(setting.default)}\``;
  return [name, setting.appliesTo, endpointValue(setting), standard, setting.describe];
}

function endpointValue({ type, values, min, max, units }: EndpointSetting): string {
  if (values !== undefined) return values.join(", ");
  const range = [min === undefined ? "" : `from ${min}`, max === undefined ? "" : `to ${max}`, units ?? ""];
  return [type, ...range].filter((part) => part !== "").join(" ");
}

function page(title: string, parts: readonly string[]): string {
  const note = "<!-- Generated by scripts/reference.ts; changes belong in the tables it reads. -->";
  return `${[`# ${title}`, note, ...parts].join("\n\n")}\n`;
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  return [heads, heads.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`)
    .join("\n");
}
