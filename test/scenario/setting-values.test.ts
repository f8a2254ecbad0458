import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { controlStories } from "../support/control-stories.ts";
import { startMysql } from "../support/mysql-server.ts";
import { startPostgres, TRUSTING } from "../support/postgres-server.ts";
import { ofKind } from "../support/rule-case.ts";
import { serverOfFile } from "../support/server-pair.ts";
import { FROM_POSTGRES } from "../support/setting-case.ts";
import { settingCases } from "../support/setting-cases.ts";
import { SettingRun } from "../support/setting-run.ts";

/*
 * Each value of each task setting that acts, by how a task ends with it and what it leaves in targets of each kind.
 * test/setting-values.test.ts sees to it that no value is left out.
 */

const [source, postgres, mariadb] = await Promise.all([
  serverOfFile(startPostgres({ hba: TRUSTING })),
  serverOfFile(startPostgres({ hba: TRUSTING })),
  serverOfFile(startMysql({ flavour: "mariadb" })),
]);

suite("settings do what they say", { concurrency: 8 }, () => {
  for (const story of [...settingCases, ...controlStories]) {
    for (const [from, to] of story.directions ?? FROM_POSTGRES) {
      for (const [value, ending] of story.endings) {
        test(`${story.path} ${JSON.stringify(value)}, from ${from} to ${to}`, async () => {
          const found = await SettingRun.ending({ source, postgres, mariadb }, { from, to, story, value });
          assert.deepEqual(found, ofKind(ending, to));
        });
      }
    }
  }
});
