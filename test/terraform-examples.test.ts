import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { attributeSettings, findEngine } from "../src/api/endpoint-settings.ts";
import { checkMappings, newSettings } from "../src/api/task-documents.ts";
import { openTopics } from "../src/notify/topics.ts";
import { registry } from "../src/server/engines.ts";
import { eventCategories } from "../src/task/events.ts";
import { findInstanceClass } from "../src/task/instance-class.ts";
import { settingFindings } from "../src/task/settings-findings.ts";
import type { EventSource } from "../src/task/store.ts";
import { sameSettings } from "./support/terraform.ts";

/*
 * What can be said of examples/terraform without Terraform: that each stack's names fit together, and that the program
 * takes the documents and values in it.
 */

const directory = join(import.meta.dirname, "../examples/terraform");
const stacks = ["main", "task"] as const;

function read(...path: string[]): string {
  return readFileSync(join(directory, ...path), "utf8");
}

function filesOf(extension: string, ...path: string[]): string[] {
  return readdirSync(join(directory, ...path)).filter((name) => name.endsWith(extension));
}

/** All of a stack's configuration. */
function configuration(stack: string): string {
  return filesOf(".tf", stack)
    .map((name) => read(stack, name))
    .join("\n");
}

function all(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map((match) => match[1]!);
}

/** A block from its first line to the brace that ends it, which stands at the start of a line. */
function blocks(text: string, opening: RegExp): string[] {
  return [...text.matchAll(new RegExp(`^${opening.source} \\{\\n[\\s\\S]*?^\\}`, "gm"))].map(
    ([block]) => block,
  );
}

function defaultOf(stack: string, variable: string): string {
  const [block = ""] = blocks(configuration(stack), new RegExp(`variable "${variable}"`));
  return /default\s+= "(.*)"/.exec(block)?.[1] ?? "";
}

test("each variable is declared and used, and each reference leads to something of its stack", () => {
  for (const stack of stacks) {
    const text = configuration(stack);
    const declared = all(text, /^variable "(\w+)"/gm).sort();
    const used = [...new Set(all(text, /\bvar\.(\w+)/g))].sort();
    assert.ok(declared.length > 0);
    assert.deepEqual(used, declared, stack);
    const known = new Set([
      ...blocks(text, /resource "\w+" "\w+"/).map((block) =>
        block.replace(/^resource "(\w+)" "(\w+)"[\s\S]*$/, "$1.$2"),
      ),
      ...blocks(text, /data "\w+" "\w+"/).map((block) =>
        block.replace(/^data "(\w+)" "(\w+)"[\s\S]*$/, "data.$1.$2"),
      ),
    ]);
    const references = all(text, /((?:\bdata\.)?\baws_dms_\w+\.\w+)/g);
    assert.ok(references.length > 0);
    assert.deepEqual(
      references.filter((reference) => !known.has(reference)),
      [],
      stack,
    );
  }
});

test("a task's settings are taken, come back as they were written, and none of them is refused at the start", () => {
  const named = all(
    configuration("task"),
    /replication_task_settings = file\("\$\{path\.module\}\/(.+?)"\)/g,
  );
  assert.deepEqual(named, ["task-settings.json"]);
  const written = read("task", named[0]!);
  assert.ok(sameSettings(newSettings(written).settings, written));
  assert.deepEqual(
    settingFindings(written).filter(({ severity }) => severity === "error"),
    [],
  );
});

test("each task's variables are those of the stack, and its table mappings are understood", () => {
  const declared = all(configuration("task"), /^variable "(\w+)"/gm);
  const tasks = filesOf(".tfvars", "task", "tasks");
  assert.ok(tasks.length > 1);
  for (const task of tasks) {
    const text = read("task", "tasks", task);
    for (const name of all(text, /^(\w+)\s+=/gm)) assert.ok(declared.includes(name), `${task}: ${name}`);
    const [mappings = ""] = all(text, /^table_mappings_file = "(.+)"$/gm);
    checkMappings(read("task", mappings));
  }
});

test("classes, engines, their attributes, event categories and topics are known to the program", () => {
  const text = configuration("main");
  assert.ok(findInstanceClass(defaultOf("main", "instance_class")));
  const endpoints = blocks(text, /resource "aws_dms_endpoint" "\w+"/);
  assert.equal(endpoints.length, 2);
  for (const endpoint of endpoints) {
    const [variable = ""] = all(endpoint, /engine_name\s+= var\.(\w+)/g);
    const engine = findEngine(registry, defaultOf("main", variable));
    const [attributes = ""] = all(endpoint, /extra_connection_attributes = "(.*)"/g);
    assert.notDeepEqual(attributeSettings(engine, attributes), {});
  }
  const subscriptions = blocks(text, /resource "aws_dms_event_subscription" "\w+"/);
  assert.equal(subscriptions.length, 2);
  for (const subscription of subscriptions) {
    const [source = ""] = all(subscription, /source_type\s+= "(.+)"/g);
    const [list = ""] = all(subscription, /event_categories = (\[.+\])/g);
    const unknown = (JSON.parse(list) as string[]).filter(
      (category) => !eventCategories[source as EventSource].includes(category),
    );
    assert.deepEqual(unknown, []);
  }
  const findTopic = openTopics({ topicsFile: join(directory, "topics.example.json"), environment: {} });
  assert.ok(findTopic(defaultOf("main", "events_topic_arn")));
});
