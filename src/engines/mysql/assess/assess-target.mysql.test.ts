import assert from "node:assert/strict";
import { test } from "node:test";
import { unaborted } from "../../../../test/support/bulk-copy.ts";
import { startMysql } from "../../../../test/support/mysql-server.ts";
import { catalog, compile, table } from "../../../../test/support/plan-situation.ts";
import type { Finding } from "../../../core/finding.ts";
import { MysqlTarget } from "../target.ts";

for (const flavour of ["mariadb", "mysql"] as const) {
  test(`a user of ${flavour} who may not keep the task's records is told so, and may once that is mended`, async () => {
    await using server = await startMysql({ flavour });
    await server.query(
      "create database shop; create user scribe identified by 'p'; grant all on shop.* to scribe",
    );
    await using target = new MysqlTarget({ ...server.endpoint(), username: "scribe", password: "p" });
    await target.check(unaborted);
    const { plan } = target.convert(compile({ catalog: catalog({ tables: [table("shop.t")] }) }).plan);
    const journal = { taskId: "scribe", controlSchema: undefined };
    const assess = async (): Promise<readonly Finding[]> => {
      const request = { plan, mode: "drop-and-create", prepared: new Set<string>(), journal } as const;
      return (await target.assess(request, unaborted)).filter(({ code }) => code === "target.privilege");
    };
    const [found, ...others] = await assess();
    assert.deepEqual(
      [found?.severity, found?.subject, others],
      ["error", "records in database awsdms_control", []],
    );
    await assert.rejects(target.openJournal(journal, unaborted), { code: "target.privilege" });
    for (const statement of found!.fix!.statements) await server.query(statement);
    assert.deepEqual(await assess(), []);
    await using _opened = await target.openJournal(journal, unaborted);
  });
}
