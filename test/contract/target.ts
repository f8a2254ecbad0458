import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { MigrationError } from "../../src/core/error.ts";
import type { MigrationPlan } from "../../src/core/plan.ts";
import type { Position } from "../../src/core/position.ts";
import type { ServerMark } from "../../src/core/server-mark.ts";
import type { Loader, PrepareMode } from "../../src/core/target.ts";
import { copyFrames, type NewChange, type NewTransaction } from "./change-rows.ts";
import { type DatabaseKind, type RunningServer, unaborted } from "./database-kind.ts";
import { journalContract } from "./journal.ts";
import { retryContract } from "./retry.ts";
import { screenedLoadContract } from "./screened-load.ts";
import { somePositions, TABLE, TargetStage } from "./target-stage.ts";
import { validationFailuresContract } from "./validation-failures.ts";

/** What every target must hold to, whatever its dialect. */
export function targetContract(kind: DatabaseKind): void {
  suite(`${kind.name} as a target`, () => {
    let server: RunningServer;
    before(async () => {
      server = await kind.start();
    });
    after(() => server?.[Symbol.asyncDispose]());

    const stage = async (made: string | undefined = TABLE): Promise<TargetStage> =>
      await TargetStage.make({ kind, server, made });

    test("a plan of its own dialect is left as it is", async () => {
      await using at = await stage();
      const { plan, findings } = at.target.convert(at.plan);
      assert.deepEqual(plan.tables[0]!.target.columns, at.plan.tables[0]!.target.columns);
      assert.deepEqual(
        findings.filter(({ severity }) => severity === "error"),
        [],
      );
    });

    test("tables are made as planned, and found to be there", async () => {
      await using at = await stage("");
      assert.deepEqual(await at.target.existingTables([at.table.target.id], unaborted), []);
      await at.prepare("drop-and-create");
      assert.deepEqual(await at.target.existingTables([at.table.target.id], unaborted), [at.table.target.id]);
      await at.schema.run("insert into t values (1, 'x', 1.5)");
      assert.deepEqual(await at.rows(), [["1", "x", "1.50"]]);
    });

    for (const [mode, left] of [
      ["drop-and-create", 0],
      ["truncate", 0],
      ["do-nothing", 1],
    ] as const satisfies readonly (readonly [PrepareMode, number])[]) {
      test(`${mode} leaves ${left} of the rows that were there`, async () => {
        await using at = await stage();
        await at.schema.run("insert into t values (1, 'old', 0)");
        const { keepsRows } = await at.prepare(mode);
        assert.equal(keepsRows, left > 0);
        assert.equal((await at.rows()).length, left);
        if (left > 0) await at.target.emptyTable(at.table, unaborted);
        assert.deepEqual(await at.rows(), []);
      });
    }

    test("rows and their partition's record become visible together", async () => {
      await using at = await stage();
      await using loader = await at.openLoader();
      await write(loader, ["1\tone\t1.50", "2\t\\N\t-0.01"]);
      await write(loader, ["3\ttab\\tbackslash\\\\ line\\n\t0"]);
      assert.deepEqual(await at.rows(), []);
      assert.deepEqual(await loader.finish(), { rows: 3 });
      assert.deepEqual(await at.rows(), [
        ["1", "one", "1.50"],
        ["2", null, "-0.01"],
        ["3", "tab\tbackslash\\ line\n", "0.00"],
      ]);
      assert.deepEqual(await at.loaded(), { done: true, rows: 3 });
    });

    test("a chunk may end anywhere", async () => {
      await using at = await stage();
      await using loader = await at.openLoader();
      const bytes = copyFrames(["1\tčeština 🛒\t1", "2\t\\\\N\t2"]);
      for (let place = 0; place < bytes.length; place++) {
        await loader.write({ bytes: bytes.subarray(place, place + 1), rows: place === 0 ? 2 : 0 });
      }
      await loader.finish();
      assert.deepEqual(await at.rows(), [
        ["1", "čeština 🛒", "1.00"],
        ["2", "\\N", "2.00"],
      ]);
    });

    test("a loader that is disposed without finish leaves no row, and its partition can be loaded again", async () => {
      await using at = await stage();
      {
        await using loader = await at.openLoader();
        await write(loader, ["1\tone\t1"]);
      }
      assert.deepEqual(await at.loaded(), { done: false, rows: 0 });
      await using again = await at.openLoader();
      await write(again, ["1\tone\t1"]);
      await again.finish();
      assert.equal((await at.rows()).length, 1);
    });

    test("a partition that is done is not loaded a second time", async () => {
      await using at = await stage();
      await using loader = await at.openLoader();
      await write(loader, ["1\tone\t1"]);
      await loader.finish();
      await assert.rejects(
        async () => {
          await using second = await at.openLoader();
          await write(second, ["2\ttwo\t2"]);
          await second.finish();
        },
        (error) => error instanceof MigrationError && error.code === "load.partition_taken",
      );
      assert.equal((await at.rows()).length, 1);
    });

    for (const [what, line] of [
      ["a key that is there already", "1\tagain\t1"],
      ["a value that is too long", `2\t${"x".repeat(50)}\t1`],
      ["NULL where there must be a value", "2\tx\t\\N"],
      ["a number that does not fit", "2\tx\t123456789012"],
    ] as const) {
      test(`${what} is the table's error, shows no value, and leaves no row`, async () => {
        await using at = await stage();
        await assert.rejects(
          async () => {
            await using loader = await at.openLoader();
            await write(loader, ["1\tone\t1", line]);
            await loader.finish();
          },
          (error) => {
            assert.ok(error instanceof MigrationError, String(error));
            assert.equal(error.code, "load.rejected");
            assert.deepEqual(error.table, at.table.source.id);
            assert.doesNotMatch(JSON.stringify(error), /again|xxx|123456789012/);
            return true;
          },
        );
        assert.deepEqual(await at.rows(), []);
        assert.deepEqual(await at.loaded(), { done: false, rows: 0 });
      });
    }

    test("changes are applied once, together with the position they lead to", async () => {
      await using at = await stage();
      await at.schema.run("insert into t values (1, 'one', 1), (2, 'two', 2)");
      const transactions: readonly (readonly NewChange[])[] = [
        [{ insert: ["3", "three\t\\", "3.25"] }, { update: ["1", null, "1"], was: ["1", null, null] }],
        [{ delete: ["2", null, null] }, { update: ["4", "moved", "0"], was: ["3", null, null] }],
      ];
      const positions = await at.positions(transactions.length);
      await at.apply(transactions.map((changes, place) => ({ position: positions[place]!, changes })));
      assert.deepEqual(await at.rows(), [
        ["1", null, "1.00"],
        ["4", "moved", "0.00"],
      ]);
      await using journal = await at.openJournal();
      assert.deepEqual(await journal.appliedPosition(unaborted), positions.at(-1));
    });

    test("a change that is refused takes its transaction and the position with it", async () => {
      await using at = await stage();
      const [first, second] = await at.positions(2);
      await at.apply([{ position: first!, changes: [{ insert: ["1", "one", "1"] }] }]);
      const bad: readonly NewChange[] = [
        { insert: ["2", "two", "2"] },
        { insert: ["3", "x".repeat(50), "3"] },
      ];
      await assert.rejects(at.apply([{ position: second!, changes: bad }]), (error) => {
        assert.ok(error instanceof MigrationError, String(error));
        assert.equal(error.code, "apply.rejected");
        assert.doesNotMatch(JSON.stringify(error), /xxx/);
        return true;
      });
      assert.deepEqual(await at.rows(), [["1", "one", "1.00"]]);
      await using journal = await at.openJournal();
      assert.deepEqual(await journal.appliedPosition(unaborted), first);
    });

    const pieceAt =
      (position: Position) =>
      (from: number, rest: Partial<NewTransaction> = {}): readonly NewTransaction[] => {
        const changes = Array.from({ length: 20_000 }, (_, i) => ({ insert: [String(from + i), "x", "1"] }));
        return [{ position, changes, begins: false, commits: false, ...rest }];
      };

    test("what is whole becomes durable although a part of a large transaction is under way", async () => {
      await using at = await stage();
      const [first, second] = await at.positions(2);
      const piece = pieceAt(second!);
      const whole = [{ position: first!, changes: [{ insert: ["1", "one", "1"] }] }];
      await at.applyEach([whole, piece(11, { begins: true }), piece(20_011), piece(40_011)]);
      assert.deepEqual(await at.rows(), [["1", "one", "1.00"]]);
      await using journal = await at.openJournal();
      assert.deepEqual(await journal.appliedPosition(unaborted), first);
    });

    test("parts of a large transaction that the source takes back leave nothing", async () => {
      await using at = await stage();
      const [position] = await at.positions(1);
      const piece = pieceAt(position!);
      await at.applyEach([
        ...[piece(1, { begins: true }), piece(20_001), piece(40_001)],
        piece(0, { changes: [], takenBack: true }),
        ...[piece(50_001, { begins: true }), piece(70_001), piece(90_001, { commits: true })],
      ]);
      const rows = await at.rows();
      assert.deepEqual([rows.length, rows[0], rows.at(-1)![0]], [60_000, ["50001", "x", "1.00"], "110000"]);
      await using journal = await at.openJournal();
      assert.deepEqual(await journal.appliedPosition(unaborted), position);
    });

    test("tables that it would write over where it is the source itself are told", async () => {
      await using at = await stage();
      await using source = await kind.engine.openSource(at.schema.endpoint, unaborted);
      const { id } = at.table.target;
      const named = (name: string): MigrationPlan => {
        const [read, written] = [at.table.source, at.table.target];
        const table = { ...at.table, source: { ...read, id }, target: { ...written, id: { ...id, name } } };
        return { ...at.plan, tables: [table] };
      };
      const marks: ServerMark[] = [];
      const ask = (plan: MigrationPlan, target = at.target) =>
        source.marked((mark) => {
          marks.push(mark);
          return target.overwritten(mark, plan, unaborted);
        }, unaborted);
      assert.deepEqual(await ask(named("t")), [id]);
      assert.deepEqual(await ask(named("u")), []);
      // The same server, but another place there.
      await using other = await stage();
      const elsewhere = { ...other.table, source: at.table.source };
      assert.deepEqual(await ask({ ...other.plan, tables: [elsewhere] }, other.target), []);
      for (const mark of [marks[0]!, { ...marks[0]!, kind: "another kind" }]) {
        assert.deepEqual(await at.target.overwritten(mark, named("t"), unaborted), []);
      }
    });

    screenedLoadContract(stage);
    retryContract(stage);

    journalContract(async () => {
      const schema = await server.newSchema();
      const target = await kind.engine.openTarget(schema.endpoint, unaborted);
      const source = await kind.engine.openSource(schema.endpoint, unaborted);
      const positions = await somePositions(source, schema, 2);
      await source[Symbol.asyncDispose]();
      return {
        target,
        positions,
        taskPrefix: `${schema.endpoint.database}_`,
        controlSchema: `${schema.name}_control`,
      };
    });

    validationFailuresContract(async () => {
      const schema = await server.newSchema();
      return {
        engine: kind.engine,
        endpoint: schema.endpoint,
        target: await kind.engine.openTarget(schema.endpoint, unaborted),
        taskPrefix: `${schema.endpoint.database}_`,
        failures: (task) => schema.rows(kind.failuresSql(task)),
      };
    });
  });
}

async function write(loader: Loader, lines: readonly string[]): Promise<void> {
  await loader.write({ bytes: copyFrames(lines), rows: lines.length });
}
