import type { Partition } from "../../src/core/source.ts";

/* What journals are given in tests. */

export const orders = { schema: "shop", name: "orders" };
export const nasty = { schema: "a\"b'c\\d`e", name: `${"x".repeat(50)}é😀` };

/** By key, with values that are hard to write, and by block. */
export const partitions: readonly Partition[] = [
  {
    id: "0",
    by: "key",
    columns: ["a", 'b"`'],
    from: undefined,
    to: ["1", `it's "\\ 😀\n`],
    estimatedRows: 12,
  },
  {
    id: "1",
    by: "key",
    columns: ["a", 'b"`'],
    from: ["1", `it's "\\ 😀\n`],
    to: undefined,
    estimatedRows: 1e12,
  },
  ...Array.from({ length: 10 }, (_, at) => ({
    ...{ id: String(at + 2), by: "block" as const },
    ...{ from: ["7"], to: ["8"], estimatedRows: 0 },
  })),
];
