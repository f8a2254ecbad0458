import assert from "node:assert/strict";
import type { EndpointConfig } from "../../src/core/engine.ts";
import type { MigrationType } from "../../src/core/source.ts";
import { endpointOf } from "./endpoint.ts";
import type { Kind, MappedServers } from "./mapped-move.ts";
import { type CaseRule, ofKind, type Rows, type RuleCase } from "./rule-case.ts";
import { assertStopped, ObservedTask, taskSpec } from "./task.ts";

export interface RuleMove {
  readonly from: Kind;
  readonly to: Kind;
  /** Cases by name; each has a schema of its own. */
  readonly cases: ReadonlyMap<string, RuleCase>;
  /** The rule of each case that the document is without. */
  readonly without?: number;
}

interface Numbered {
  readonly name: string;
  readonly one: RuleCase;
  readonly fill: (text: string) => string;
  readonly schema: string;
}

/** What a case's query finds, or why it finds nothing. */
export type Look = (name: string) => Promise<Rows>;

/** Called when the rows are in, and again when the changes are. */
export type Looker = (when: "loaded" | "after", look: Look) => Promise<void>;

/** Many cases in one task, by one document. */
export async function moveCases(
  { source, target }: { readonly source: MappedServers; readonly target: MappedServers },
  { from, to, cases, without }: RuleMove,
  looker: Looker,
): Promise<void> {
  const list = [...cases].map(([name, one], at): Numbered => {
    const fill = (text: string): string => text.replaceAll("{schema}", schema).replaceAll("{n}", `${at + 1}`);
    const schema = `Old_${at + 1}_Name`;
    return { name, one, schema, fill };
  });
  const on = await sourceSide(source, from);
  const there = await targetSide(target, to);
  for (const { one, schema, fill } of list) await on.make(schema, fill(ofKind(one.made, from)));
  const changes = list.filter(({ one }) => one.changed !== undefined);
  const type: MigrationType = changes.length > 0 ? "full-load-and-cdc" : "full-load";
  const task = new ObservedTask(
    taskSpec({
      ...{ type, source: on.endpoint, target: there.endpoint },
      tableMappings: documentOf(list, without),
    }),
  );
  const byName = new Map(list.map((numbered) => [numbered.name, numbered]));
  const look: Look = (name) => {
    const { one, fill } = byName.get(name)!;
    return there.rows(fill(ofKind(one.query, to)));
  };
  try {
    if (changes.length > 0) {
      await task.until(({ phase }) => phase === "replicating");
      await looker("loaded", look);
      for (const { one, schema, fill } of changes) await on.query(schema, fill(one.changed!));
      task.running.drain();
    }
    const outcome = await task.running.outcome;
    if (without === undefined) assertStopped(outcome);
    await looker(changes.length > 0 ? "after" : "loaded", look);
  } finally {
    task.running.stop();
    task.running.stop();
    await task.running.outcome;
  }
}

/** One document of all cases' rules; a filter that it is without leaves its table selected. */
function documentOf(list: readonly Numbered[], without: number | undefined): string {
  let number = 0;
  const rules = list.flatMap(({ one, schema, fill }) => {
    const selects = one.rules.some((rule) => rule["rule-type"] === "selection");
    const kept = one.rules.flatMap((rule, at) => (at === without ? withoutFilter(rule) : [rule]));
    const all: CaseRule = {
      ...{ "rule-type": "selection", "rule-action": "include" },
      "object-locator": { "table-name": "%" },
    };
    return [...(selects ? [] : [all]), ...kept, ...(one.beside ?? [])].map((rule) => {
      number++;
      const locator = { "schema-name": schema, ...rule["object-locator"] };
      const numbered = {
        ...rule,
        "rule-id": `${number}`,
        "rule-name": `${number}`,
        "object-locator": locator,
      };
      return JSON.parse(fill(JSON.stringify(numbered))) as object;
    });
  });
  return JSON.stringify({ rules });
}

function withoutFilter({ filters, ...rule }: CaseRule): readonly CaseRule[] {
  return filters === undefined ? [] : [rule as CaseRule];
}

interface SourceSide {
  readonly endpoint: EndpointConfig;
  make(schema: string, sql: string): Promise<unknown>;
  query(schema: string, sql: string): Promise<unknown>;
}

async function sourceSide({ postgres, mariadb }: MappedServers, kind: Kind): Promise<SourceSide> {
  if (kind === "mariadb") {
    const query = (schema: string, sql: string) => mariadb.query(backticked(sql), schema);
    return {
      endpoint: mariadb.endpoint(),
      query,
      make: async (schema, sql) => {
        await mariadb.query(backticked(`drop database if exists "${schema}"; create database "${schema}"`));
        await query(schema, sql);
      },
    };
  }
  const database = await postgres.createDatabase("cases");
  const query = (schema: string, sql: string) =>
    postgres.query(`set search_path = "${schema}"; ${sql}`, database);
  return {
    endpoint: endpointOf(postgres, database),
    query,
    make: (schema, sql) => query(schema, `create schema "${schema}"; ${sql}`),
  };
}

interface TargetSide {
  readonly endpoint: EndpointConfig;
  rows(sql: string): Promise<Rows>;
}

async function targetSide({ postgres, mariadb }: MappedServers, kind: Kind): Promise<TargetSide> {
  const texts = (found: readonly object[]): Rows =>
    found.map((row) => Object.values(row).map((value) => (value === null ? null : String(value))));
  if (kind === "mariadb") {
    const others = await mariadb.query(
      `select schema_name as name from information_schema.schemata
        where schema_name regexp '[0-9]' or schema_name = 'awsdms_control'`,
    );
    for (const { name } of others) await mariadb.query(`drop database \`${name}\``);
    const rows = async (sql: string) =>
      texts(await mariadb.query(backticked(sql.replaceAll("{journal}", "awsdms_control.awsdms_load_state"))));
    return { endpoint: mariadb.endpoint(), rows };
  }
  const database = await postgres.createDatabase("cases");
  const rows = async (sql: string) =>
    texts(await postgres.query(sql.replaceAll("{journal}", "public.awsdms_load_state"), database));
  return { endpoint: endpointOf(postgres, database), rows };
}

function backticked(sql: string): string {
  return sql.replaceAll('"', "`");
}

/** Whether a case holds: the rows that it finds are those that it wants. */
export async function holds(look: () => Promise<Rows>, wanted: Rows): Promise<boolean> {
  try {
    assert.deepEqual(await look(), wanted);
    return true;
  } catch {
    return false;
  }
}
