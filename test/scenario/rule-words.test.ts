import assert from "node:assert/strict";
import { test } from "node:test";
import { directions, type Kind, mappedServers } from "../support/mapped-move.ts";
import { ofKind, type RuleCase } from "../support/rule-case.ts";
import { ruleCases } from "../support/rule-cases.ts";
import { holds, moveCases } from "../support/rule-move.ts";

/*
 * Each word of the language of table mappings, by what it makes of rows: in targets of each kind, from sources of each kind,
 * in a full load and by changes. test/rule-words.test.ts sees to it that no word is left out.
 */

const [source, target] = await Promise.all([mappedServers(), mappedServers()]);

function casesFrom(from: Kind, replicates: boolean): ReadonlyMap<string, RuleCase> {
  return new Map(
    [...ruleCases].filter(
      ([, { changed, from: only = from }]) => only === from && (changed !== undefined) === replicates,
    ),
  );
}

for (const [from, to] of directions) {
  for (const replicates of [true, false]) {
    const cases = casesFrom(from, replicates);
    const how = replicates ? "in full load and changes" : "in full loads";
    test(`every word of a document does what it says from ${from} to ${to}, ${how}`, async (t) => {
      await moveCases({ source, target }, { from, to, cases }, async (when, look) => {
        for (const [name, one] of cases) {
          await t.test(`${name}, ${when}`, async () => {
            assert.deepEqual(await look(name), ofKind(one[when], to));
          });
        }
      });
    });
  }
}

test("no case holds without its rules", async () => {
  const cases = casesFrom("mariadb", true);
  const most = Math.max(...[...cases.values()].map(({ rules }) => rules.length));
  for (let without = 0; without < most; without++) {
    const concerned = new Map([...cases].filter(([, { rules }]) => rules.length > without));
    const held: string[] = [];
    await moveCases(
      { source, target },
      { from: "mariadb", to: "postgres", cases: concerned, without },
      async (when, look) => {
        for (const [name, one] of concerned) {
          if (await holds(() => look(name), ofKind(one[when], "postgres"))) held.push(`${name}, ${when}`);
        }
      },
    );
    assert.deepEqual(held, []);
  }
});
