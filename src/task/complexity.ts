import type { Finding } from "../core/finding.ts";

/** How much work people will have with a migration; whether it can start as it is, is another matter. */
export interface Complexity {
  readonly grade: "A" | "B" | "C" | "D" | "E";
  /** One sentence that says what the grade is made of. */
  readonly reason: string;
}

export interface ComplexityFacts {
  readonly findings: readonly Finding[];
  readonly tables: number;
  /** Tables with an error that no statement mends. */
  readonly setAside: number;
  /** Source and target are of one kind, so that nothing is converted. */
  readonly isOneKind: boolean;
}

const MEANINGS = {
  A: "Nothing has to be decided or made by hand.",
  B: "A few things have to be looked at.",
  C: "Some things have to be decided or made by hand.",
  D: "Many things have to be decided or made by hand.",
  E: "A large part of the database needs work by hand.",
} as const;

/** Findings that a statement mends cost little, whatever their severity: the others need somebody who thinks about them. */
export function complexityOf({ findings, tables, setAside, isOneKind }: ComplexityFacts): Complexity {
  const serious = findings.filter(({ severity }) => severity !== "info");
  const mended = serious.filter(({ fix }) => fix !== undefined).length;
  const thought = serious.length - mended;
  const grade = gradeOf(thought, tables === 0 ? 0 : setAside / tables);
  const parts = [
    isOneKind
      ? "source and target are of one kind"
      : "every table is converted into another kind of database",
    `${many(thought, "finding")} to decide on`,
    `${many(mended, "finding")} that a statement mends`,
    ...(setAside === 0 ? [] : [`${setAside} of ${many(tables, "table")} cannot be moved as they are`]),
  ];
  return { grade, reason: `${MEANINGS[grade]} Counted: ${parts.join("; ")}.` };
}

function gradeOf(thought: number, asideShare: number): Complexity["grade"] {
  if (thought > 100 || asideShare > 0.25) return "E";
  if (thought > 30 || asideShare > 0.1) return "D";
  if (thought > 8 || asideShare > 0) return "C";
  return thought > 0 ? "B" : "A";
}

function many(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
