import { UNCHANGED_CELL } from "../../../core/change-batch.ts";
import type { PreparedStatement } from "./apply-writer.ts";

/** A statement for one combination of cells that an update's row may lack. */
interface UpdateShape {
  readonly hasBefore: boolean;
  /** 1 for each ordinal that was not sent. */
  readonly unchanged: Uint8Array;
  readonly statement: PreparedStatement;
}

/** Tables have few shapes; beyond this many the oldest is forgotten. */
const MAX_SHAPES = 64;

/** Statements of a table's updates, by what the rows hold. */
export class UpdateShapes {
  readonly #shapes: UpdateShape[] = [];

  /** The statement for an update whose row after lies there in the cells. */
  find(cells: Int32Array, after: number, hasBefore: boolean): PreparedStatement | undefined {
    for (let i = 0; i < this.#shapes.length; i++) {
      const shape = this.#shapes[i]!;
      if (shape.hasBefore === hasBefore && fits(shape.unchanged, cells, after)) return shape.statement;
    }
    return undefined;
  }

  add(shape: UpdateShape): PreparedStatement {
    if (this.#shapes.length === MAX_SHAPES) this.#shapes.shift();
    this.#shapes.push(shape);
    return shape.statement;
  }
}

/** 1 for each column whose value the row lacks, because it has not changed. */
export function unchangedOf(cells: Int32Array, row: number, columns: number): Uint8Array {
  const unchanged = new Uint8Array(columns);
  for (let i = 0; i < columns; i++) unchanged[i] = cells[row + 2 * i] === UNCHANGED_CELL ? 1 : 0;
  return unchanged;
}

function fits(unchanged: Uint8Array, cells: Int32Array, row: number): boolean {
  for (let i = 0; i < unchanged.length; i++) {
    if ((cells[row + 2 * i] === UNCHANGED_CELL) !== (unchanged[i] === 1)) return false;
  }
  return true;
}
