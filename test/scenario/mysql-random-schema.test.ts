import assert from "node:assert/strict";
import { test } from "node:test";
import { MysqlPair, mysqlToPostgres } from "../support/mysql-pair.ts";
import { drain, reasons, stop } from "../support/noted-schema.ts";
import { RandomSchemaWork } from "../support/random-schema-work.ts";

/* Tables are written to and altered at random: while a task runs, while it is stopped, and while it is behind. */

const STEPS = { running: 10, stopped: 12, behind: 8 };
/** TIDEWAY_TEST_SEED is for other work than that of every run. */
const seed = Number(process.env["TIDEWAY_TEST_SEED"] ?? "7");

for (const flavour of ["mariadb", "mysql"] as const) {
  test(`a task from ${flavour} has every row after random work beside random changes of the schema, seed ${seed}`, async () => {
    const servers = await mysqlToPostgres({ flavour });
    const work = new RandomSchemaWork(seed);
    const pair = await MysqlPair.make(servers, { name: "random", schema: work.begin(3) });
    const told: string[] = [];
    const run = async (steps: number): Promise<void> => {
      for (let step = 0; step < steps; step++) {
        told.push(work.step());
        await pair.query(told.at(-1)!);
      }
    };
    try {
      const task = await pair.replicate();
      await run(STEPS.running);
      await stop(task);
      await run(STEPS.stopped);
      const again = pair.run({ start: "resume-processing" });
      await run(STEPS.behind);
      const { progress } = await drain(again);
      // One that went before it was loaded stays behind, in part.
      const left = Object.keys(reasons(progress)).filter((name) => work.tables.includes(name));
      assert.deepEqual(left, [], `${JSON.stringify(reasons(progress))}\n${told.join("\n")}`);
      await pair.assertEqual({ tables: work.tables.map((name) => ({ schema: pair.from, name })) });
    } finally {
      await pair.end();
    }
  });
}
