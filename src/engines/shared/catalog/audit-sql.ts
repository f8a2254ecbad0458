import type { AuditQuestion } from "../../../core/audit.ts";
import type { TableId } from "../../../core/schema.ts";

export interface AuditDialect {
  readonly identifier: (name: string) => string;
  readonly qualified: (id: TableId) => string;
}

/** Answers with one row of one number, or of NULL where there is none. */
export function auditSql(question: AuditQuestion, { identifier, qualified }: AuditDialect): string {
  const table = qualified(question.table);
  switch (question.kind) {
    case "without-parent": {
      const { columns, references, referencedColumns } = question;
      const set = columns.map((column) => `c.${identifier(column)} is not null`);
      const equal = columns.map(
        (column, i) => `p.${identifier(referencedColumns[i]!)} = c.${identifier(column)}`,
      );
      return `select count(*) as answer from ${table} c where ${set.join(" and ")}
        and not exists (select 1 from ${qualified(references)} p where ${equal.join(" and ")})`;
    }
    case "repeated": {
      const columns = question.columns.map(identifier);
      const set = columns.map((column) => `${column} is not null`);
      return `select count(*) as answer from (select 1 as one from ${table} where ${set.join(" and ")}
        group by ${columns.join(", ")} having count(*) > 1) as repeated`;
    }
    case "largest":
      return `select max(${identifier(question.column)}) as answer from ${table}`;
  }
}
