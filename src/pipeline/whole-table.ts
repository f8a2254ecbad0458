import type { Partition } from "../core/source.ts";

/** All of a table, for rows that are few. */
export const WHOLE: Partition = {
  id: "1",
  by: "whole",
  from: undefined,
  to: undefined,
  estimatedRows: 1,
};
