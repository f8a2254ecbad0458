import { join } from "node:path";
import { type AcrossWorkload, hotTable, manyTables } from "../across/change-tables.ts";
import { type BenchSide, startMariadb } from "../across/side.ts";
import { runCommand } from "../command.ts";
import type { Context, Profile, Workbench } from "../profile.ts";

/** MariaDB's binary log, read and decoded alone. */

/** So many times the changes of a workload, or starting the programs would be a good part of what is measured. */
const TIMES = 16;

const readers: Readonly<Record<string, string>> = { tideway: "binlog-read.ts", zongji: "zongji-read.ts" };

function binlogProfile(name: string, description: string, workload: AcrossWorkload): Profile {
  return {
    name,
    description,
    fairness:
      "Each is a Node program that is started with a cache of compiled code, reads the same log from the same place, counts the row changes and ends; Tideway makes the values that it would apply, zongji values of JavaScript. What is counted is compared with what was changed.",
    shows: "throughput",
    serverVersion: 15,
    mariadb: true,
    minutes: 5,
    contenders: Object.keys(readers).map((one) => ({ name: one, needs: [], missing: () => undefined })),
    targets: [{ kind: "faster", metric: "wallS", peers: ["zongji"], limit: 4 }],
    warmUps: 1,
    prepare: (context) => prepare(workload, context),
  };
}

async function prepare(workload: AcrossWorkload, context: Context): Promise<Workbench> {
  const source = await startMariadb(context.stage, { binlog: true });
  const { tables } = workload;
  await source.reset(tables.map((table) => source.createTable(table)).join("; "));
  for (const table of tables) await source.fill(table, table.rows);
  const start = await startOf(source);
  const units = Math.max(1, Math.round(TIMES * workload.units * context.scale));
  await source.run("set global innodb_flush_log_at_trx_commit = 0");
  await source.run(workload.changes(units));
  const rows = units * workload.rowsPerUnit;
  const variables = {
    ...start,
    ...{ SOURCE: source.url, ROWS: String(rows), NODE: process.execPath },
    // As Tideway's command has it: what has been compiled once is kept.
    NODE_COMPILE_CACHE: join(context.stage.directory, "compiled"),
  };
  return {
    volume: { rows, bytes: undefined },
    sourcePid: source.pid,
    targetPid: undefined,
    async open(contender) {
      const path = join(import.meta.dirname, "..", "peers", readers[contender]!);
      const command = { script: `"$NODE" ${JSON.stringify(path)}`, variables };
      return {
        run: async () => ({ tool: await runCommand(command, context.stage) }),
        // A reader that counts something else fails.
        check: async () => undefined,
        async [Symbol.asyncDispose]() {},
      };
    },
  };
}

async function startOf(source: BenchSide): Promise<Readonly<Record<string, string>>> {
  const [gtids] = await source.values("select @@gtid_binlog_pos");
  const [file, byte] = await source.values("show master status");
  return { GTIDS: gtids!, LOG_FILE: file!, LOG_BYTE: byte! };
}

export const myBinlogProfiles: readonly Profile[] = [
  binlogProfile(
    "my-binlog/many",
    "4.8 million row changes of twenty tables in transactions of 4",
    manyTables,
  ),
  binlogProfile("my-binlog/hot", "4.8 million row changes of one table in transactions of 4", hotTable),
];
