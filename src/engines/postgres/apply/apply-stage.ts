import type { TablePlan } from "../../../core/plan.ts";
import type { FoldOptions } from "../../shared/apply/net-changes.ts";
import { qualified } from "../../shared/identifier.ts";
import { ApplyColumns } from "./apply-columns.ts";
import { ownRows, type TargetTable } from "./apply-table.ts";

/** A temporary table that carries rows from a COPY to the statement that applies them as a set. */
export interface Stage {
  readonly name: string;
  readonly create: string;
  readonly copy: string;
  /** Applies what the stage holds; touches as many rows as it holds when all is as it should be. */
  readonly apply: string;
  /** Columns that a staged row has: first those of the key, then others; 2 * ordinal each. */
  readonly key: Int32Array;
  readonly rest: Int32Array;
}

const NO_COLUMNS = new Int32Array(0);

/** The statements that apply one table's net changes as sets, made when first needed. */
export class TableStages {
  readonly #table: string;
  /** What is updated and deleted from. */
  readonly #rows: string;
  readonly #columns: ApplyColumns;
  readonly #key: readonly number[];
  readonly #prefix: string;
  readonly #unchanging: number | undefined;
  #delete: Stage | undefined;
  #insert: Stage | undefined;
  readonly #updates = new Map<string, Stage>();
  readonly insertCopy: string | undefined;
  /** Columns of an inserted row; 2 * ordinal each. */
  readonly inserted: Int32Array;
  /** How the table's changes are to be folded; undefined when they must be applied one by one. */
  readonly foldOptions: FoldOptions | undefined;

  constructor(options: {
    readonly plan: TablePlan;
    readonly target: TargetTable | undefined;
    readonly encoding: "pg-binary" | "text";
    /** Unique in the session, for the stages' names. */
    readonly prefix: string;
  }) {
    const { plan, target, encoding } = options;
    this.#table = qualified(plan.target.id);
    this.#rows = ownRows(plan.target.id, target);
    this.#columns = new ApplyColumns(plan, target, encoding);
    this.#key = plan.source.key;
    this.#prefix = options.prefix;
    const { written } = this.#columns;
    this.inserted = cellsOf(written);
    const known = new Set(plan.target.columns.map(({ name }) => name));
    // A key that moves may be a delete and an insert unless the target's row holds more than the source's.
    const movesKeys = [...(target?.columns.keys() ?? [])].every((name) => known.has(name));
    // An update that says nothing new must still find its row, for which it sets a column to what it is.
    this.#unchanging = written.find((o) => this.#columns.isSettable(o));
    const isUsable =
      target?.plain === true && this.#unchanging !== undefined && this.#columns.foldedKey.length === 0;
    this.foldOptions = isUsable
      ? { columns: plan.source.columns.length, key: this.#key, movesKeys }
      : undefined;
    if (this.#columns.takesRows) {
      this.insertCopy = `copy ${this.#table} (${this.#names(written)}) from stdin (format binary)`;
    }
  }

  /** Deletes the rows of the staged keys. */
  delete(): Stage {
    this.#delete ??= this.#stage("d", this.#key, [], `delete from ${this.#rows} as t using`, this.#sameKey());
    return this.#delete;
  }

  /** Inserts the staged rows, where insertCopy cannot. */
  insert(): Stage {
    if (this.#insert !== undefined) return this.#insert;
    const { written } = this.#columns;
    const values = written.map((o) => this.#columns.staged(o, "store")).join(", ");
    const verb = `insert into ${this.#table} (${this.#names(written)}) overriding system value select ${values} from`;
    this.#insert = this.#stage("i", [], written, verb, "");
    return this.#insert;
  }

  /**
   * Updates the rows of the staged keys. `unchanged`: 1 for each column that is not sent. A row that has got another
   * value in a column that no UPDATE may set is not found, so it is written anew with the others, one by one.
   */
  update(unchanged: Uint8Array): Stage {
    const shape = unchanged.join("");
    const known = this.#updates.get(shape);
    if (known !== undefined) return known;
    const columns = this.#columns;
    const sent = columns.written.filter((o) => unchanged[o] === 0 && !this.#key.includes(o));
    const set = sent.filter((o) => columns.isSettable(o));
    const fixed = sent.filter((o) => !columns.isSettable(o));
    const values = set.map((o) => `${columns.name(o)} = ${columns.staged(o, "store")}`);
    if (set.length === 0) {
      const same = columns.name(this.#unchanging!);
      values.push(`${same} = t.${same}`);
    }
    const verb = `update ${this.#rows} as t set ${values.join(", ")} from`;
    const where = `${this.#sameKey()}${fixed.map((o) => ` and ${this.#isSame(o)}`).join("")}`;
    const stage = this.#stage(`u${this.#updates.size}`, this.#key, [...set, ...fixed], verb, where);
    this.#updates.set(shape, stage);
    return stage;
  }

  #stage(use: string, key: readonly number[], rest: readonly number[], verb: string, where: string): Stage {
    const name = `pg_temp.tideway_${this.#prefix}_${use}`;
    const ordinals = [...key, ...rest];
    const columns = ordinals.map((o) => `c${o} ${this.#columns.stageType(o)}`).join(", ");
    return {
      name,
      create: `create temporary table ${name} (${columns}) on commit delete rows`,
      copy: `copy ${name} from stdin (format binary)`,
      apply: `${verb} ${name} as s${where}`,
      key: key.length === 0 ? NO_COLUMNS : cellsOf(key),
      rest: rest.length === 0 ? NO_COLUMNS : cellsOf(rest),
    };
  }

  #sameKey(): string {
    return ` where ${this.#key.map((o) => this.#isSame(o)).join(" and ")}`;
  }

  /** Columns of keys and identities hold no NULL. */
  #isSame(ordinal: number): string {
    return `t.${this.#columns.name(ordinal)} = ${this.#columns.staged(ordinal, "compare")}`;
  }

  #names(ordinals: readonly number[]): string {
    return ordinals.map((o) => this.#columns.name(o)).join(", ");
  }
}

function cellsOf(ordinals: readonly number[]): Int32Array {
  return Int32Array.from(ordinals, (ordinal) => 2 * ordinal);
}
