import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { MigrationError, type TableOutcome } from "../../src/core/error.ts";
import type { Journal } from "../../src/core/journal.ts";
import type { MigrationPlan, TablePlan } from "../../src/core/plan.ts";
import type { Position } from "../../src/core/position.ts";
import type { Partition } from "../../src/core/source.ts";
import type { Loader, PrepareMode, Target } from "../../src/core/target.ts";
import { compilePlan } from "../../src/mapping/plan.ts";
import { mappingsFromPatterns } from "../../src/mapping/selection.ts";
import { parseTableMappings } from "../../src/mapping/table-mappings.ts";
import { changeBatch, copyFrames, type NewChange } from "./change-rows.ts";
import {
  type DatabaseKind,
  describeTables,
  type RunningServer,
  type TestSchema,
  unaborted,
} from "./database-kind.ts";
import { journalContract } from "./journal.ts";

export const TABLE = "create table t (id int primary key, v varchar(40), n decimal(10, 2) not null)";
const whole: Partition = { id: "0", by: "whole", from: undefined, to: undefined, estimatedRows: 3 };

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
      assert.deepEqual(await at.target.existingTables(at.plan, unaborted), []);
      await at.prepare("drop-and-create");
      assert.deepEqual(await at.target.existingTables(at.plan, unaborted), [at.table.target.id]);
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
  });
}

async function write(loader: Loader, lines: readonly string[]): Promise<void> {
  await loader.write({ bytes: copyFrames(lines), rows: lines.length });
}

/** Positions that follow each other in a source's log. */
async function somePositions(
  source: { currentPosition(signal: AbortSignal): Promise<Position> },
  schema: TestSchema,
  count: number,
): Promise<readonly Position[]> {
  const positions: Position[] = [];
  await schema.run("create table moves (id int)");
  for (let place = 0; place < count; place++) {
    await schema.run("insert into moves values (1)");
    positions.push(await source.currentPosition(unaborted));
  }
  return positions;
}

/** A plan for the table t of one schema to become that of another, and a journal that knows of it. */
class TargetStage implements AsyncDisposable {
  readonly schema: TestSchema;
  readonly target: Target;
  readonly plan: MigrationPlan;
  readonly #from: TestSchema;
  readonly #kind: DatabaseKind;

  private constructor(
    parts: Pick<TargetStage, "schema" | "target" | "plan"> & {
      readonly from: TestSchema;
      readonly kind: DatabaseKind;
    },
  ) {
    this.schema = parts.schema;
    this.target = parts.target;
    this.plan = parts.plan;
    this.#from = parts.from;
    this.#kind = parts.kind;
  }

  static async make(given: {
    readonly kind: DatabaseKind;
    readonly server: RunningServer;
    readonly made: string;
  }): Promise<TargetStage> {
    const { kind, server, made } = given;
    const from = await server.newSchema();
    const schema = await server.newSchema();
    await from.run(TABLE);
    if (made !== "") await schema.run(made);
    await using source = await kind.engine.openSource(from.endpoint, unaborted);
    const mappings = parseTableMappings(mappingsFromPatterns([`${from.name}.*`], []));
    const catalog = await describeTables(source, from.name);
    const { plan } = compilePlan({ catalog, mappings, targetSchema: schema.name });
    const target = await kind.engine.openTarget(schema.endpoint, unaborted);
    return new TargetStage({ kind, from, schema, target, plan });
  }

  get table(): TablePlan {
    return this.plan.tables[0]!;
  }

  /** A task of its own: control tables may be common to all. */
  get request() {
    return { taskId: `task_${this.schema.endpoint.database}`, controlSchema: undefined };
  }

  rows(): ReturnType<TestSchema["rows"]> {
    return this.schema.rows("select id, v, n from t order by id");
  }

  async prepare(mode: PrepareMode): Promise<{ readonly keepsRows: boolean }> {
    await this.target.prepareSchema({ plan: this.plan, replace: true }, unaborted);
    const requests = [{ migration: this.plan, plan: this.table, mode }];
    return unwrap((await this.target.prepareTables(requests, unaborted))[0]!);
  }

  openJournal(): Promise<Journal> {
    return this.target.openJournal(this.request, unaborted);
  }

  /** For the one partition, which is planned unless the journal knows it. */
  async openLoader(): Promise<Loader> {
    await using journal = await this.openJournal();
    if ((await journal.tables(unaborted)).length === 0) {
      const id = this.table.source.id;
      await journal.planTables([{ id, created: true, snapshot: undefined, partitions: [whole] }], unaborted);
    }
    const formats = unwrap((await this.target.bulkFormats([this.table], unaborted))[0]!);
    assert.ok(formats.includes("pg-copy-text"));
    const request = { ...this.request, plan: this.table, partition: whole, format: "pg-copy-text" } as const;
    return await this.target.openLoader(request, unaborted);
  }

  async loaded(): Promise<{ readonly done: boolean; readonly rows: number }> {
    await using journal = await this.openJournal();
    const { done, rows } = (await journal.tables(unaborted))[0]!.partitions[0]!;
    return { done, rows };
  }

  async positions(count: number): Promise<readonly Position[]> {
    await using source = await this.#kind.engine.openSource(this.#from.endpoint, unaborted);
    return await somePositions(source, this.#from, count);
  }

  async apply(
    transactions: readonly { readonly position: Position; readonly changes: readonly NewChange[] }[],
  ): Promise<void> {
    await using source = await this.#kind.engine.openSource(this.#from.endpoint, unaborted);
    const request = { ...this.request, plan: this.plan, positions: source.positions };
    // Makes the control tables, as a task does before anything else.
    await using _ = await this.openJournal();
    await using applier = await this.target.openApplier(request, unaborted);
    await applier.apply(changeBatch(this.table.source, transactions), undefined);
    await applier.flush();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.target[Symbol.asyncDispose]();
  }
}

function unwrap<Value>(outcome: TableOutcome<Value>): Value {
  if (outcome instanceof MigrationError) throw outcome;
  return outcome;
}
