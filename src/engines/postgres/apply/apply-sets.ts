import type { TablePlan } from "../../../core/plan.ts";
import type { ApplyCounts } from "../../shared/apply/apply-counts.ts";
import type { FoldedGroup } from "../../shared/apply/apply-group.ts";
import type { GroupSets } from "../../shared/apply/apply-group-writer.ts";
import { type FoldOptions, Net, type NetChanges } from "../../shared/apply/net-changes.ts";
import { ServerError } from "../connection/server-error.ts";
import type { ApplySession, QueryAnswer } from "./apply-session.ts";
import { type Stage, TableStages } from "./apply-stage.ts";
import type { TargetTable } from "./apply-table.ts";
import type { RowCells } from "./apply-writer.ts";

/** They need some statements more than single rows. */
const LEAST_FOR_SETS = 64;
/** More staging tables than this are not kept: each commit empties all of them. */
const MAX_STAGES = 100;
/**
 * Nor any of them for longer than this: nobody but their session can freeze their transaction numbers,
 * and an old one would keep the target from reusing numbers.
 */
const MAX_STAGE_AGE_MS = 3_600_000;

/**
 * Errors that concern the session or the server. All others may be those of a row or of a statement that
 * this target does not take: one by one the changes may go through, and if not the right error is told.
 */
const SERVER_ERROR_CLASSES: ReadonlySet<string> = new Set(["08", "25", "3B", "40", "53", "57", "58"]);

/** A statement of which only an error counts. */
const ANY_ROWS = -1;

const NO_BYTES = Buffer.alloc(0);
const NO_CELLS = new Int32Array(0);

const SAVEPOINT = "tideway_sets";

/** One statement under way: what it must touch, and whose it is. */
interface Sent {
  readonly plan: number;
  readonly rows: number;
  readonly answer: Promise<QueryAnswer>;
}

/** Entries of a table by what becomes of them. */
interface Parts {
  /** Rows that must not be there: neither before the changes nor after them. */
  nothings: number;
  deletes: number;
  inserts: number;
  /** By shape. */
  readonly updates: Int32Array;
}

export interface ApplySetsParts {
  readonly plans: readonly TablePlan[];
  readonly targets: readonly (TargetTable | undefined)[];
  readonly session: ApplySession;
  readonly counts: ApplyCounts;
}

/**
 * Applies net changes as sets: rows go by COPY into a temporary table, or straight into the table where
 * they are new, and one statement does the rest. All of it is written without waiting, inside a
 * savepoint. It stands only if every statement touched exactly the rows it should: anything else means
 * that the target is not as the source was, and which change that is about shows only one by one.
 */
export class ApplySets implements GroupSets {
  readonly least = LEAST_FOR_SETS;
  readonly #parts: ApplySetsParts;
  #encoding: "pg-binary" | "text" = "text";
  readonly #stages: Readonly<Record<"pg-binary" | "text", (TableStages | undefined)[]>> = {
    "pg-binary": [],
    text: [],
  };
  /** Staging tables that the session has, and those that hold rows of the transaction at work. */
  readonly #created = new Set<string>();
  readonly #filled = new Set<string>();
  /** Those of which it is not known whether the session has them: what made or dropped them was taken back. */
  readonly #unsure = new Set<string>();
  /** When the first of them was made. */
  #createdAt = 0;
  readonly #key: RowCells = { cellsOf: new Int32Array(0), cells: new Int32Array(0), bytes: NO_BYTES, row: 0 };
  readonly #rest: RowCells = {
    cellsOf: new Int32Array(0),
    cells: new Int32Array(0),
    bytes: NO_BYTES,
    row: 0,
  };

  constructor(parts: ApplySetsParts) {
    this.#parts = parts;
  }

  foldOptions(plan: number): FoldOptions | undefined {
    return this.#stagesOf(plan).foldOptions;
  }

  use(encoding: "pg-binary" | "text"): void {
    this.#encoding = encoding;
  }

  #stagesOf(plan: number): TableStages {
    const known = this.#stages[this.#encoding];
    let stages = known[plan];
    if (stages === undefined) {
      const { plans, targets } = this.#parts;
      const prefix = `${this.#encoding === "text" ? "t" : "b"}${plan}`;
      stages = new TableStages({
        plan: plans[plan]!,
        target: targets[plan],
        encoding: this.#encoding,
        prefix,
      });
      known[plan] = stages;
    }
    return stages;
  }

  ended(): void {
    this.#filled.clear();
    const names = [...this.#created, ...this.#unsure];
    if (names.length === 0) return;
    if (names.length <= MAX_STAGES && performance.now() - this.#createdAt < MAX_STAGE_AGE_MS) return;
    void this.#parts.session.query(`drop table if exists ${names.join(", ")}`);
    this.#created.clear();
    this.#unsure.clear();
  }

  rolledBack(): void {
    this.#filled.clear();
    for (const name of this.#created) this.#unsure.add(name);
    this.#created.clear();
  }

  async apply(folded: FoldedGroup): Promise<ReadonlySet<number>> {
    const { session, counts } = this.#parts;
    const sent: Sent[] = [];
    const created: string[] = [];
    void session.query(`savepoint ${SAVEPOINT}`);
    for (const [plan, net] of folded.tables) {
      const parts = partsOf(net);
      created.push(...this.#prepare(plan, net, { parts, sent }));
      await this.#write(plan, net, { parts, sent, folded });
    }
    await session.push();
    const failed = await failures(sent);
    if (failed.size > 0) {
      for (const name of created) {
        this.#created.delete(name);
        this.#unsure.add(name);
      }
      await session.ask(`rollback to savepoint ${SAVEPOINT}; release savepoint ${SAVEPOINT}`);
      return failed;
    }
    void session.query(`release savepoint ${SAVEPOINT}`);
    for (const [plan, net] of folded.tables) counts.folded(plan, net.counts);
    return failed;
  }

  /** Makes the staging tables that a table needs and empties those that hold rows; returns the names of new ones. */
  #prepare(
    plan: number,
    net: NetChanges,
    { parts, sent }: { readonly parts: Parts; readonly sent: Sent[] },
  ): readonly string[] {
    const { session } = this.#parts;
    const stages = this.#stagesOf(plan);
    const needed: Stage[] = [];
    if (parts.deletes + parts.nothings > 0) needed.push(stages.delete());
    if (parts.inserts > 0 && stages.insertCopy === undefined) needed.push(stages.insert());
    for (const [shape, unchanged] of net.shapes.entries()) {
      if (parts.updates[shape]! > 0) needed.push(stages.update(unchanged));
    }
    const added = needed.filter(({ name }) => !this.#created.has(name));
    for (const { name, create } of needed) {
      const isThere = this.#created.has(name);
      const make = this.#unsure.delete(name) ? `drop table if exists ${name}; ${create}` : create;
      if (!isThere || this.#filled.has(name)) {
        const answer = session.query(isThere ? `truncate ${name}` : make);
        sent.push({ plan, rows: ANY_ROWS, answer });
      }
      if (this.#created.size + this.#unsure.size === 0) this.#createdAt = performance.now();
      this.#created.add(name);
      this.#filled.add(name);
    }
    return added.map(({ name }) => name);
  }

  async #write(
    plan: number,
    net: NetChanges,
    context: { readonly parts: Parts; readonly sent: Sent[]; readonly folded: FoldedGroup },
  ): Promise<void> {
    const { parts, sent, folded } = context;
    const { session } = this.#parts;
    const stages = this.#stagesOf(plan);
    const send = (sql: string, rows: number): void => {
      sent.push({ plan, rows, answer: session.query(sql) });
    };
    const gone = parts.deletes + parts.nothings;
    if (gone > 0) {
      const stage = stages.delete();
      send(stage.copy, gone);
      await this.#copy(stage, net, { folded, wants: (entry) => GOES[net.net(entry)] === 1 });
      send(stage.apply, parts.deletes);
    }
    for (const [shape, unchanged] of net.shapes.entries()) {
      const rows = parts.updates[shape]!;
      if (rows === 0) continue;
      const stage = stages.update(unchanged);
      send(stage.copy, rows);
      const wants = (entry: number): boolean => net.net(entry) === Net.update && net.shape(entry) === shape;
      await this.#copy(stage, net, { folded, wants });
      send(stage.apply, rows);
    }
    if (parts.inserts > 0) {
      const { insertCopy } = stages;
      const stage = insertCopy === undefined ? stages.insert() : { key: NO_CELLS, rest: stages.inserted };
      send(insertCopy ?? stages.insert().copy, parts.inserts);
      await this.#copy(stage, net, { folded, wants: (entry) => COMES[net.net(entry)] === 1 });
      if (insertCopy === undefined) send(stages.insert().apply, parts.inserts);
    }
  }

  async #copy(
    columns: Pick<Stage, "key" | "rest">,
    net: NetChanges,
    context: { readonly folded: FoldedGroup; readonly wants: (entry: number) => boolean },
  ): Promise<void> {
    const { session } = this.#parts;
    const { rows } = session;
    const { sources } = context.folded;
    const key = this.#key;
    const rest = this.#rest;
    const hasKey = columns.key.length > 0;
    const hasRest = columns.rest.length > 0;
    key.cellsOf = columns.key;
    rest.cellsOf = columns.rest;
    rows.copyHeader();
    for (let entry = 0; entry < net.size; entry++) {
      if (!context.wants(entry)) continue;
      if (hasKey) {
        const source = sources[net.keySource(entry)]!;
        key.cells = source.cells;
        key.bytes = source.bytes;
        key.row = net.keyRow(entry);
      }
      if (hasRest) {
        const source = sources[net.source(entry)]!;
        rest.cells = source.cells;
        rest.bytes = source.bytes;
        rest.row = net.row(entry);
      }
      rows.copyRow(key, rest);
      if (rows.full) await session.push();
    }
    rows.copyDone();
  }
}

/** 1 for each Net after whose deletes no row has the key, and for each whose new row comes. */
const GOES = Uint8Array.of(1, 0, 0, 1, 1);
const COMES = Uint8Array.of(0, 1, 0, 0, 1);

function partsOf(net: NetChanges): Parts {
  const parts: Parts = { nothings: 0, deletes: 0, inserts: 0, updates: new Int32Array(net.shapes.length) };
  for (let entry = 0; entry < net.size; entry++) {
    const kind = net.net(entry);
    if (kind === Net.update) parts.updates[net.shape(entry)]!++;
    if (kind === Net.nothing) parts.nothings++;
    else parts.deletes += GOES[kind]!;
    parts.inserts += COMES[kind]!;
  }
  return parts;
}

/** Tables whose statements failed or touched other rows than they should. Throws what is no table's own error. */
async function failures(sent: readonly Sent[]): Promise<ReadonlySet<number>> {
  const failed = new Set<number>();
  for (const { plan, rows, answer } of sent) {
    try {
      const { touched } = await answer;
      if (rows !== ANY_ROWS && touched !== rows) failed.add(plan);
    } catch (error) {
      if (!(error instanceof ServerError) || SERVER_ERROR_CLASSES.has(error.fields.code.slice(0, 2)))
        throw error;
      // What follows fails because this did.
      return failed.add(plan);
    }
  }
  return failed;
}
