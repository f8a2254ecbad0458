import { cleanUpTask } from "../../src/server/run-task.ts";
import type { TaskOutcome, TaskSpec } from "../../src/task/task.ts";
import { eventually } from "./eventually.ts";
import type { Kind } from "./mapped-move.ts";
import type { MysqlServer } from "./mysql-server.ts";
import type { PostgresServer } from "./postgres-server.ts";
import { type ByKind, ofKind, type Rows } from "./rule-case.ts";
import type { Ending, SettingCase } from "./setting-case.ts";
import { SettingSide } from "./setting-side.ts";
import { ObservedTask, schemas, taskSpec } from "./task.ts";

export interface SettingServers {
  readonly source: PostgresServer;
  readonly postgres: PostgresServer;
  readonly mariadb: MysqlServer;
}

export interface SettingParts {
  readonly from: Kind;
  readonly to: Kind;
  readonly story: SettingCase;
  readonly value: unknown;
}

const RETRIED = "task interrupted, trying again";
const TWO_ROWS =
  "create table t (id int primary key, v varchar(20)); insert into t values (1, 'one'), (2, 'two')";

let runs = 0;

/** One story with one value of a setting, in one direction. */
export class SettingRun {
  readonly schema = `run${++runs}`;
  readonly #servers: SettingServers;
  readonly #from: Kind;
  readonly #to: Kind;
  readonly #story: SettingCase;
  #spec!: TaskSpec;
  #source!: SettingSide;
  #target!: SettingSide;
  task!: ObservedTask;
  readonly value: unknown;
  /** What a story has seen on the way. */
  readonly notes: string[] = [];

  private constructor(servers: SettingServers, { from, to, story, value }: SettingParts) {
    this.#servers = servers;
    this.#from = from;
    this.#to = to;
    this.#story = story;
    this.value = value;
  }

  /** Runs it to its end, and takes everything away that it has left on the servers. */
  static async ending(servers: SettingServers, parts: SettingParts): Promise<Ending> {
    const run = new SettingRun(servers, parts);
    await run.#make();
    try {
      return await run.#live();
    } finally {
      run.task.running.stop();
      run.task.running.stop();
      await run.task.running.outcome;
      await cleanUpTask(run.#spec, AbortSignal.timeout(60_000));
      await Promise.all([run.#source.end(), run.#target.end()]);
    }
  }

  onSource(sql: string): Promise<Rows> {
    return this.#source.query(this.#fill(sql));
  }

  onTarget(sql: string): Promise<Rows> {
    return this.#target.query(this.#fill(sql));
  }

  get delays(): readonly string[] {
    return this.task.logs
      .filter(({ message }) => message === RETRIED)
      .map(({ fields }) => `again after ${Number(fields.delayMs) / 1000} s`);
  }

  /** The task has said so, as often as asked, or has ended. */
  async logged(wanted: string, times = 1): Promise<void> {
    let ended = false;
    void this.task.running.outcome.then(() => {
      ended = true;
    });
    const found = () => this.task.logs.filter(({ message }) => message === wanted).length;
    await eventually(wanted, async () => ended || found() >= times);
  }

  retried(times: number): Promise<void> {
    return this.logged(RETRIED, times);
  }

  /** The rows of a query on the target, as soon as there are some. */
  async finds(sql: ByKind<string>): Promise<Rows> {
    const text = ofKind(sql, this.#to);
    return await eventually(text, async () => {
      const rows = await this.onTarget(text);
      return rows.length > 0 && rows;
    });
  }

  holding(side: "source" | "target", sql: string, meanwhile: () => Promise<void>): Promise<void> {
    return (side === "source" ? this.#source : this.#target).holding(sql, meanwhile);
  }

  async stop(): Promise<void> {
    this.task.running.stop();
    await this.task.running.outcome;
  }

  /** Goes on where it was, up to where the source is. */
  resume(): void {
    this.task = new ObservedTask({ ...this.#spec, start: "resume-processing", untilCaughtUp: true });
  }

  async #make(): Promise<void> {
    const { source, postgres, mariadb } = this.#servers;
    const { there, made = TWO_ROWS, settings = {}, path, changed, during, rules = [] } = this.#story;
    this.#source = await SettingSide.make(this.#from === "mariadb" ? mariadb : source, this.schema);
    await this.onSource(made);
    // The task finds the schema, as it finds one of another task.
    this.#target = await SettingSide.make(this.#to === "mariadb" ? mariadb : postgres, this.schema);
    if (there !== undefined) await this.onTarget(ofKind(there, this.#to));
    const [section, name] = path.split(".") as [string, string];
    const given = typeof this.value === "string" ? this.#fill(this.value) : this.value;
    const errors = { ErrorBehavior: { RecoverableErrorInterval: 1 } };
    const beside = typeof settings === "function" ? settings(this.value) : settings;
    const document = [errors, beside, { [section]: { [name]: given } }].reduce<Sections>(withSections, {});
    this.#spec = taskSpec({
      type: changed === undefined && during === undefined ? "full-load" : "full-load-and-cdc",
      ...{ source: this.#source.endpoint, target: this.#target.endpoint },
      tableMappings: JSON.stringify({
        rules: [...JSON.parse(schemas(this.schema)).rules, ...this.#numbered(rules)],
      }),
      settings: JSON.stringify(document),
    });
    this.task = new ObservedTask(this.#spec);
  }

  #numbered(rules: readonly object[]): readonly object[] {
    return rules.map((rule, at) => {
      const numbered = { "rule-type": "selection", "rule-id": 100 + at, "rule-action": "include", ...rule };
      return JSON.parse(this.#fill(JSON.stringify(numbered)));
    });
  }

  async #live(): Promise<Ending> {
    const { disturbed, changed, during } = this.#story;
    if (during !== undefined) {
      await during(this);
      if (await this.#replicates()) this.task.running.drain();
    } else if (changed !== undefined && (await this.#replicates())) {
      if (disturbed !== undefined) await this.onTarget(disturbed);
      await this.onSource(changed);
      this.task.running.drain();
    }
    const outcome = await this.task.running.outcome;
    return [
      outcome.error?.code ?? outcome.stopReason!,
      ...asides(outcome),
      ...(await this.#found()),
      ...(await this.#leftOut()),
      ...this.delays,
      ...(this.task.logs.some(({ message }) => message === "rows were passed over") ? ["logged"] : []),
      ...this.notes,
    ].map((line) => line.replaceAll(this.schema, "{schema}"));
  }

  /** Whether the task has come so far, and not ended before. */
  async #replicates(): Promise<boolean> {
    return await this.task
      .until(({ phase }) => phase === "replicating")
      .then(
        () => true,
        () => false,
      );
  }

  async #found(): Promise<readonly string[]> {
    const { query = "select id, v from t order by id" } = this.#story;
    try {
      return (await this.onTarget(ofKind(query, this.#to))).map((row) =>
        row.map((value) => value ?? "-").join(" "),
      );
    } catch {
      // A table that the task has not made has no rows.
      return [];
    }
  }

  /** Of both tables of exceptions, as far as they are there. */
  async #leftOut(): Promise<readonly string[]> {
    const lines: string[] = [];
    const isPostgres = this.#to === "postgres";
    for (const table of ["awsdms_full_load_exceptions", "awsdms_apply_exceptions"]) {
      const control = `${isPostgres ? "public" : "awsdms_control"}.${table}`;
      const [statement, task] = isPostgres ? ['"STATEMENT"', '"TASK_NAME"'] : ["STATEMENT", "TASK_NAME"];
      const rows = await this.onTarget(
        `select ${statement} from ${control} where ${task} = '${this.#spec.id}'`,
      ).catch((): Rows => []);
      for (const [text] of rows) {
        const { values } = JSON.parse(text!.slice(text!.indexOf(" {"))) as { values?: object };
        const all = values === undefined ? "" : ` with ${Object.keys(values).join(" ")}`;
        lines.push(`${table.slice("awsdms_".length)}: ${text!.split(" ")[0]}${all}`);
      }
    }
    return lines.toSorted();
  }

  #fill(text: string): string {
    return text
      .replaceAll("{schema}", this.schema)
      .replaceAll("{task}", this.#spec?.id ?? "")
      .replaceAll("{control}", this.#to === "mariadb" ? "awsdms_control" : "public");
  }
}

type Sections = Readonly<Record<string, object>>;

function withSections(document: Sections, sections: object): Sections {
  const merged = Object.entries(sections).map(([name, members]) => [name, { ...document[name], ...members }]);
  return { ...document, ...Object.fromEntries(merged) };
}

function asides({ progress }: TaskOutcome): readonly string[] {
  return progress.tables
    .filter(({ error }) => error !== undefined)
    .map(({ id, error }) => `${id.name} aside: ${error!.code}`);
}
