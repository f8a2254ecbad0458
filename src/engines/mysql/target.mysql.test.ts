import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { unaborted, unwrap } from "../../../test/support/bulk-copy.ts";
import { rows, whole } from "../../../test/support/load-target.ts";
import { type MysqlServer, RELAXED, startMysql } from "../../../test/support/mysql-server.ts";
import { catalog, column, compile, foreignKey, table } from "../../../test/support/plan-situation.ts";
import { MigrationError } from "../../core/error.ts";
import type { MigrationPlan } from "../../core/plan.ts";
import type { Index } from "../../core/schema.ts";
import type { PrepareMode } from "../../core/target.ts";
import { takeLoadLock } from "./apply/load-lock.ts";
import { createTable } from "./catalog/ddl.ts";
import { connect } from "./connection/connection.ts";
import { findLeftovers, removeLeftover } from "./leftovers.ts";
import { trialOf } from "./load/trial-table.ts";
import { MysqlTarget } from "./target.ts";

const primary: Index = {
  name: "t_pkey",
  unique: true,
  constraint: "primary-key",
  columns: ["id"],
  native: "PRIMARY KEY (id)",
};

/** Two tables of PostgreSQL, of which the second refers to the first. */
function planIn(schema: string): MigrationPlan {
  const parent = table(`${schema}.parent`, { indexes: [primary] });
  const child = table(`${schema}.child`, {
    indexes: [primary],
    foreignKeys: [foreignKey("to_parent", `${schema}.parent`)],
  });
  return compile({ catalog: catalog({ tables: [parent, child] }) }).plan;
}

for (const flavour of ["mariadb", "mysql"] as const) {
  describe(flavour, () => {
    let server: MysqlServer;
    before(async () => {
      server = await startMysql({ flavour, settings: RELAXED });
    });
    after(() => server?.[Symbol.asyncDispose]());

    async function on<Result>(
      work: (target: MysqlTarget, plan: MigrationPlan, schema: string) => Promise<Result>,
    ): Promise<Result> {
      const schema = await server.createDatabase("target");
      await using target = new MysqlTarget(server.endpoint());
      await target.check(unaborted);
      const { plan } = target.convert(planIn(schema));
      return await work(target, plan, schema);
    }

    const prepare = async (target: MysqlTarget, migration: MigrationPlan, mode: PrepareMode) =>
      target.prepareTables(
        migration.tables.map((plan) => ({ migration, plan, mode })),
        unaborted,
      );

    test("a table that others outside the task refer to is neither dropped nor emptied under them", async () => {
      await on(async (target, plan, schema) => {
        for (const outcome of await prepare(target, plan, "drop-and-create")) unwrap(outcome);
        await server.query(
          `create table outside (id bigint primary key, constraint to_it foreign key (id) references parent (id));
           insert into parent values (1); insert into outside values (1)`,
          schema,
        );
        for (const mode of ["drop-and-create", "truncate"] as const) {
          const outcomes = await prepare(target, plan, mode);
          const parent = plan.tables.findIndex(({ target: { id } }) => id.name === "parent");
          const error = outcomes[parent];
          assert.ok(error instanceof MigrationError && error.code === "target.table_in_use", mode);
          assert.match(error.message, /outside \(to_it\)/);
          const other = outcomes[1 - parent];
          assert.ok(!(other instanceof MigrationError), "the other table is made");
        }
        assert.equal((await server.query("select id from parent", schema)).length, 1);
        const assessed = await target.assess(
          { plan, mode: "drop-and-create", prepared: new Set() },
          unaborted,
        );
        assert.ok(
          assessed.some(({ code, severity }) => code === "target.table_in_use" && severity === "error"),
        );
      });
    });

    test("foreign keys between the task's tables do not keep them from being made anew, and come back", async () => {
      await on(async (target, plan, schema) => {
        const build = async (): Promise<void> => {
          const steps = plan.tables.flatMap((one) => target.postLoadSteps(one));
          for (const outcome of await target.runSteps(steps, unaborted)) unwrap(outcome);
        };
        for (let round = 0; round < 2; round++) {
          for (const outcome of await prepare(target, plan, "drop-and-create")) unwrap(outcome);
          await build();
          await build();
        }
        await assert.rejects(
          server.query("insert into child values (5)", schema),
          /foreign key constraint fails/,
        );
      });
    });

    test("tables whose names differ in capital letters alone are each found", async () => {
      await on(async (target, _plan, schema) => {
        const twins = ["twin", "Twin"].map((name) => table(`${schema}.${name}`, { indexes: [primary] }));
        const { plan } = target.convert(compile({ catalog: catalog({ tables: twins }) }).plan);
        for (let round = 0; round < 2; round++) {
          for (const outcome of await prepare(target, plan, "drop-and-create")) unwrap(outcome);
        }
        const ids = plan.tables.map((one) => one.target.id);
        const found = await target.existingTables(ids, unaborted);
        assert.deepEqual(found.map(({ name }) => name).sort(), ["Twin", "twin"]);
      });
    });

    test("what was there is told before the start: engines without transactions, triggers, lacking columns", async () => {
      await on(async (target, plan, schema) => {
        await server.query(
          `create table parent (id bigint primary key) engine = MyISAM;
           create table child (id bigint primary key, more int not null) engine = InnoDB;
           create trigger acts before insert on parent for each row set new.id = new.id`,
          schema,
        );
        const findings = await target.assess({ plan, mode: "do-nothing", prepared: new Set() }, unaborted);
        const told = new Map(findings.map((one) => [`${one.code} ${one.table?.name ?? ""}`, one.severity]));
        assert.equal(told.get("target.engine parent"), "error");
        assert.equal(told.get("target.triggers parent"), "warning");
        assert.equal(told.get("target.table_mismatch child"), "error");
      });
    });

    test("unique indexes are looked at for every row that is loaded, whatever a session begins with", async () => {
      await on(async (made, plan, schema) => {
        for (const outcome of await prepare(made, plan, "drop-and-create")) unwrap(outcome);
        await server.query(
          `create table seen (checks int);
           create trigger sees before insert on parent for each row insert into seen values (@@session.unique_checks)`,
          schema,
        );
        const settings = { AfterConnectScript: "set unique_checks = 0" };
        await using target = new MysqlTarget(server.endpoint("", settings));
        const journaled = { taskId: schema, controlSchema: undefined };
        await using journal = await target.openJournal(journaled, unaborted);
        const parent = plan.tables.find(({ source }) => source.id.name === "parent")!;
        const { id } = parent.source;
        const partitions = [whole];
        await journal.planTables([{ id, created: true, snapshot: undefined, partitions }], unaborted);
        const request = { ...journaled, plan: parent, partition: whole, format: "pg-copy-text" } as const;
        await using loader = await target.openLoader(request, unaborted);
        await loader.write(rows("1"));
        await loader.finish();
        assert.deepEqual(await server.query("select checks from seen", schema), [{ checks: "1" }]);
      });
    });

    test("a user learns which privileges are lacking", async () => {
      await on(async (_target, plan, schema) => {
        await server.query(
          `create user 'clerk'@'%' identified by 'clerk'; grant select, insert on \`${schema}\`.* to 'clerk'@'%'`,
        );
        const endpoint = { ...server.endpoint(), username: "clerk", password: "clerk" };
        await using target = new MysqlTarget(endpoint);
        const findings = await target.assess(
          { plan, mode: "drop-and-create", prepared: new Set() },
          unaborted,
        );
        const lacking = findings.find(({ code }) => code === "target.privilege");
        assert.equal(lacking?.severity, "error");
        assert.match(lacking!.message, /UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, REFERENCES/);
        assert.match(lacking!.remedy, /^Run on the target: grant update, .* to 'clerk'@'%';$/);
        const following = await target.assess(
          { plan, mode: "do-nothing", prepared: new Set(), appliesChanges: true },
          unaborted,
        );
        const told = new Map(following.map(({ subject, severity }) => [subject, severity]));
        assert.equal(told.get(`triggers of database ${schema}`), "warning");
        // The server's commits do not wait for its disk; MariaDB tells how far that is.
        const flush = flavour === "mysql" ? "error" : undefined;
        assert.equal(told.get("innodb_flush_log_at_trx_commit"), flush);
      });
    });

    test("a journal that is open shows that its task is at work, and its records can be removed afterwards", async () => {
      await on(async (target, plan) => {
        const request = { taskId: `left_${flavour}`, controlSchema: undefined };
        const { id } = plan.tables[0]!.source;
        const records = async () =>
          (await findLeftovers(server.endpoint(), unaborted)).filter(
            ({ taskId }) => taskId === request.taskId,
          );
        {
          await using journal = await target.openJournal(request, unaborted);
          await journal.setTableStates([id], { state: "ready" }, unaborted);
          assert.deepEqual(
            (await records()).map(({ kind, inUse, detail }) => [kind, inUse, detail]),
            [["task records", true, "1 tables"]],
          );
        }
        const [left] = await records();
        assert.equal(left?.inUse, false);
        await removeLeftover(server.endpoint(), left!, unaborted);
        assert.deepEqual(await records(), []);
        const tables = (await findLeftovers(server.endpoint(), unaborted)).filter(
          ({ kind, name }) => kind === "control table" && name.startsWith("`awsdms_control`."),
        );
        assert.equal(tables.length, 5);
      });
    });

    test("a control table of an earlier version gets the column that it lacks", async () => {
      await on(async (target, plan) => {
        const request = { taskId: "T1", controlSchema: await server.createDatabase("control") };
        const at = { created: true, snapshot: undefined, partitions: [whole] };
        await (await target.openJournal(request, unaborted))[Symbol.asyncDispose]();
        await server.query("alter table awsdms_load_state drop column snapshot_up_to", request.controlSchema);
        await using journal = await target.openJournal(request, unaborted);
        await journal.planTables([{ id: plan.tables[0]!.source.id, ...at }], unaborted);
        assert.equal((await journal.tables(unaborted))[0]!.partitions.length, 1);
        await server.query("alter table awsdms_load_state drop column done", request.controlSchema);
        await assert.rejects(target.openJournal(request, unaborted), { code: "target.control_table" });
      });
    });

    test("the trial of a table that a killed start has left goes with the next start, or is cleaned up", async () => {
      await on(async (target, plan, schema) => {
        const client = await connect(server.endpoint(), { side: "target", purpose: "trial" }, unaborted);
        await client.end();
        const trial = createTable(trialOf(plan.tables[0]!.target), client.facts);
        const left = async () =>
          (await findLeftovers(server.endpoint(), unaborted)).filter(({ name }) =>
            name.startsWith(`\`${schema}\``),
          );
        // One that is somebody's own has not the comment.
        await server.query(`${trial}; create table awsdms_trial_mine (id int)`, schema);
        const [found, ...more] = await left();
        assert.deepEqual([found?.kind, found?.inUse, more], ["control table", false, []]);
        await removeLeftover(server.endpoint(), found!, unaborted);
        assert.deepEqual(await left(), []);
        await server.query(trial, schema);
        await target.prepareSchema({ plan, replace: false }, unaborted);
        assert.deepEqual(await left(), []);
        assert.deepEqual(await server.query("select * from awsdms_trial_mine", schema), []);
      });
    });

    test("what an earlier attempt has left loading is ended by the next one, and nothing else", async () => {
      await on(async (target) => {
        const request = { taskId: `loads_${flavour}`, controlSchema: undefined };
        const options = { side: "target", purpose: "tideway load" } as const;
        const done = await connect(server.endpoint(), options, unaborted);
        const left = await connect(server.endpoint(), options, unaborted);
        try {
          await done.execute(await takeLoadLock(done, request));
          await takeLoadLock(left, request);
          await using _ = await target.openJournal(request, unaborted);
          assert.equal((await done.query("select 1")).length, 1);
          await assert.rejects(left.query("select 1"));
        } finally {
          await done.end();
          left.destroy();
        }
      });
    });

    test("a table that the server refuses is told before the one of its name is dropped", async () => {
      await on(async (target, _plan, schema) => {
        const wide = table(`${schema}.wide`, { indexes: [primary] });
        const texts = Array.from({ length: 400 }, (_, i) =>
          column(`c${i}`, { kind: "string", fixed: false }),
        );
        const tables = [{ ...wide, columns: [...wide.columns, ...texts] }, table(`${schema}.plain`)];
        await server.query("create table wide (id int); insert into wide values (7)", schema);
        await server.query("create table plain (id int); insert into plain values (7)", schema);
        const { plan } = target.convert(compile({ catalog: catalog({ tables }) }).plan);
        const outcomes = await prepare(target, plan, "drop-and-create");
        const refused = outcomes.find((outcome) => outcome instanceof MigrationError);
        assert.equal(refused?.code, "target.object_failed");
        assert.match(refused.message, /Row size too large/);
        assert.equal(refused.table?.name, "wide");
        assert.deepEqual(await server.query("select id from wide", schema), [{ id: "7" }]);
        assert.deepEqual(await server.query("select id from plain", schema), []);
        const names = await server.query(
          `select table_name as n from information_schema.tables where table_schema = '${schema}' order by 1`,
        );
        assert.deepEqual(
          names.map(({ n }) => n),
          ["plain", "wide"],
        );
      });
    });

    test("a server that takes only short rows, or no files, is told of before the start", async () => {
      const before = await server.query(
        "select @@global.max_allowed_packet as packet, @@global.local_infile as files",
      );
      const told = (): Promise<readonly (string | undefined)[]> =>
        on(async (target, plan) => {
          const findings = await target.assess({ plan, mode: "do-nothing", prepared: new Set() }, unaborted);
          return findings.map(({ subject }) => subject).filter((one) => one !== undefined && /_/.test(one));
        });
      await server.query("set global max_allowed_packet = 67108864; set global local_infile = 1");
      const isNamed = (subjects: readonly (string | undefined)[]): readonly boolean[] =>
        ["max_allowed_packet", "local_infile"].map((name) => subjects.includes(name));
      assert.deepEqual(isNamed(await told()), [false, false]);
      await on(async (target, _plan, schema) => {
        const bare = table(`${schema}.t`);
        const long = column("note", { kind: "string", fixed: false });
        const tables = [{ ...bare, columns: [...bare.columns, long] }];
        const { plan } = target.convert(compile({ catalog: catalog({ tables }) }).plan);
        const findings = await target.assess({ plan, mode: "do-nothing", prepared: new Set() }, unaborted);
        const packet = findings.find(({ subject }) => subject === "max_allowed_packet");
        assert.equal(packet?.severity, "info");
        assert.match(packet.message, /is 67108864: rows .*\.t\.note\)/);
      });
      await server.query("set global max_allowed_packet = 4194304; set global local_infile = 0");
      try {
        assert.deepEqual(isNamed(await told()), [true, true]);
      } finally {
        const { packet, files } = before[0]!;
        await server.query(`set global max_allowed_packet = ${packet}; set global local_infile = ${files}`);
      }
    });

    test("a read-only server is refused before anything is done", async () => {
      await on(async (_target, plan, schema) => {
        await server.query(
          `create user 'reader'@'%' identified by 'reader'; grant all on \`${schema}\`.* to 'reader'@'%'`,
        );
        await server.query("set global read_only = 1");
        try {
          const endpoint = { ...server.endpoint(), username: "reader", password: "reader" };
          await using target = new MysqlTarget(endpoint);
          const findings = await target.assess({ plan, mode: "do-nothing", prepared: new Set() }, unaborted);
          assert.ok(
            findings.some(({ code, severity }) => code === "target.read_only" && severity === "error"),
          );
        } finally {
          await server.query("set global read_only = 0");
        }
      });
    });
  });
}
