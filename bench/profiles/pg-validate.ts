import { join } from "node:path";
import { runCommand } from "../command.ts";
import { makeData } from "../data/make-tables.ts";
import { lineitem } from "../data/tables.ts";
import type { Context, Profile, Workbench } from "../profile.ts";
import { settle, startServers } from "../servers.ts";
import { contenderEntry, type LoadContender, loadCommand } from "./load-contenders.ts";

/** Two equal databases are compared. Who finds them different has failed: each command ends with the exit code 0. */

const SOURCE = "bench_source";
const TARGET = "bench_target";
const SET = { tables: [lineitem], keys: true };
/** As for full load: Debian's psql is of this version. */
const SERVER_VERSION = 15;

const tideway: LoadContender = {
  name: "tideway",
  needs: [],
  dumps: false,
  script: `"$NODE" "$TIDEWAY" validate "$SOURCE" "$TARGET" --json`,
};

/** What a program does that reads rows by a driver in the order of their key and compares them itself. */
const client: LoadContender = {
  name: "client",
  needs: [],
  dumps: false,
  script: `"$NODE" "$PEER" "$SOURCE" "$TARGET" bench.${lineitem.name} "${lineitem.primaryKey}"`,
  variables: { PEER: join(import.meta.dirname, "..", "peers", "compare-in-key-order.ts") },
};

/** The same at its cheapest: nobody looks into the rows. Where the network costs nothing, as here, a digest costs more than a row. */
const copyAndCompare: LoadContender = {
  name: "copy and cmp",
  needs: ["psql"],
  dumps: false,
  script: `rows="copy (select * from bench.${lineitem.name} order by ${lineitem.primaryKey}) to stdout"
    cmp <("$PSQL" -X -q -d "$SOURCE" -c "$rows") <("$PSQL" -X -q -d "$TARGET" -c "$rows")`,
};

const scan = `select count(*), sum(('x' || substr(md5(t::text), 1, 15))::bit(60)::bigint::numeric)
  from bench.${lineitem.name} t`;

/** The two scans alone, as somebody would type them. */
const twoScans: LoadContender = {
  name: "two scans",
  needs: ["psql"],
  dumps: false,
  script: `cmp <("$PSQL" -X -q -A -t -d "$SOURCE" -c "${scan}") <("$PSQL" -X -q -A -t -d "$TARGET" -c "${scan}")`,
};

const contenders = [tideway, client, copyAndCompare, twoScans];

export const pgValidateProfiles: readonly Profile[] = [
  {
    name: "validate-lineitem",
    description:
      "two equal databases with TPC-H's lineitem, 3 million rows of 16 mixed columns, are compared",
    fairness:
      "Both sides have the primary key. In its order both tables pass the network, which costs nothing here; by copy and cmp nothing is looked at, and what differs is not told. The two scans digest rows without looking at types, and say nothing about which rows differ.",
    shows: "throughput",
    serverVersion: SERVER_VERSION,
    mariadb: false,
    minutes: 4,
    contenders: contenders.map(contenderEntry),
    targets: [
      { kind: "faster", metric: "wallS", peers: [client.name], limit: 2 },
      // At most 1.3 times their time.
      { kind: "faster", metric: "wallS", peers: [twoScans.name], limit: 0.77 },
    ],
    warmUps: 1,
    prepare,
  },
];

async function prepare(context: Context): Promise<Workbench> {
  const servers = await startServers(context);
  const { source, target } = servers;
  const { stage, tools } = context;
  await source.query(`create database ${SOURCE}`);
  await target.query(`create database ${TARGET}`);
  const [rows] = await Promise.all([
    makeData(source, SOURCE, SET, context.scale),
    makeData(target, TARGET, SET, context.scale),
  ]);
  return {
    volume: { rows, bytes: undefined },
    sourcePid: source.pid,
    targetPid: target.pid,
    async open(name) {
      await settle(servers);
      const command = loadCommand(contenders.find((one) => one.name === name)!, {
        source: source.url(SOURCE),
        target: target.url(TARGET),
        work: join(stage.directory, "work"),
        path: (tool) => tools.path(tool),
      });
      return {
        run: async () => ({ tool: await runCommand(command, stage) }),
        check: async () => undefined,
        async [Symbol.asyncDispose]() {},
      };
    },
  };
}
