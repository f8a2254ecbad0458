import type pg from "pg";
import { MigrationError } from "../../../core/error.ts";
import { displayTable, type TableSchema } from "../../../core/schema.ts";
import type { TableAlteration } from "../../../core/table-alteration.ts";
import { identifier, qualified } from "../../shared/identifier.ts";
import { describeChecks, describeForeignKeys, describeIndexes } from "../catalog/catalog-constraints.ts";
import {
  addForeignKey,
  addUnvalidatedCheck,
  createIndex,
  isEnforced,
  validateConstraint,
} from "../catalog/ddl.ts";
import { runNative } from "../catalog/native-ddl.ts";
import { classify, isOwnFault } from "../connection/errors.ts";

/** What changes one index or constraint. */
interface PartStep {
  readonly subject: string;
  readonly statements: readonly string[];
}

type Parts = Pick<TableSchema, "indexes" | "checks" | "foreignKeys">;

/**
 * Gives a table of the target the indexes and constraints that the source's has got, and takes those that it has lost,
 * once its columns are the same. Each by itself: resolves with what could not be done. `present` is what decides, as a
 * statement on a column or on another table may have done it already. Throws what may be another time, such as a
 * lock that was not had.
 */
export async function alterParts(
  client: pg.Client,
  { from, to }: TableAlteration,
  oid: string,
): Promise<readonly MigrationError[]> {
  const present: Parts = {
    indexes: ((await describeIndexes(client, [oid])).get(oid) ?? []).map(({ index }) => index),
    checks: (await describeChecks(client, [oid])).get(oid) ?? [],
    foreignKeys: (await describeForeignKeys(client, [oid])).get(oid) ?? [],
  };
  const table = { ...to.target, id: from.target.id };
  const failures: MigrationError[] = [];
  for (const { subject, statements } of partSteps(table, { before: from.target, present })) {
    await client.query("savepoint tideway_part");
    try {
      await runNative(client, to.target.id.schema, statements);
    } catch (error) {
      const told = classify(error, { side: "target", phase: "build" });
      if (!isOwnFault(told)) throw told;
      await client.query("rollback to savepoint tideway_part");
      failures.push(notAltered(table, subject, told));
    }
  }
  return failures;
}

/** What is dropped comes first: something else may get its name, and foreign keys stand on keys. */
export function partSteps(
  table: TableSchema,
  { before, present }: { readonly before: Parts; readonly present: Parts },
): readonly PartStep[] {
  const name = qualified(table.id);
  const indexes = differences(before.indexes, table.indexes, present.indexes);
  const checks = differences(before.checks, table.checks, present.checks);
  const keys = differences(before.foreignKeys, table.foreignKeys, present.foreignKeys);
  const constraint = ({ name: subject }: { readonly name: string }): PartStep => {
    return { subject, statements: [`alter table ${name} drop constraint ${identifier(subject)}`] };
  };
  const renamed = indexes.lost.flatMap((old) => {
    const now = indexes.got.find((index) => sameIndex(old, index));
    return now === undefined ? [] : [{ old, now }];
  });
  const lost = indexes.lost.filter((index) => !renamed.some(({ old }) => old === index));
  const got = indexes.got.filter((index) => !renamed.some(({ now }) => now === index));
  return [
    ...keys.lost.map(constraint),
    ...checks.lost.map(constraint),
    ...lost.map((index) =>
      index.constraint === undefined
        ? {
            subject: index.name,
            statements: [`drop index ${qualified({ schema: table.id.schema, name: index.name })}`],
          }
        : constraint(index),
    ),
    ...renamed.map(({ old, now }) => ({
      subject: now.name,
      statements: [
        `alter index ${qualified({ schema: table.id.schema, name: old.name })} rename to ${identifier(now.name)}`,
      ],
    })),
    ...got.map((index) => ({ subject: index.name, statements: createIndex(table, index) })),
    ...checks.got.map((check) => ({
      subject: check.name,
      statements: [
        ...addUnvalidatedCheck(table, check),
        ...(check.validated ? [validateConstraint(table, check.name)] : []),
      ],
    })),
    ...[
      ...unvalidated(before.checks, table.checks, present.checks),
      ...unvalidated(before.foreignKeys, table.foreignKeys, present.foreignKeys).filter(isEnforced),
    ].map(({ name: subject }) => ({ subject, statements: [validateConstraint(table, subject)] })),
    ...keys.got.map((key) => ({
      subject: key.name,
      statements: [
        ...addForeignKey(table, key),
        ...(key.validated && isEnforced(key) ? [validateConstraint(table, key.name)] : []),
      ],
    })),
  ];
}

interface Part {
  readonly name: string;
  readonly native: string;
}

/** By name. One of the same name counts as lost and got when it is another one on the source, and on the target not yet. */
function differences<P extends Part>(
  before: readonly P[],
  after: readonly P[],
  present: readonly P[],
): { readonly lost: readonly P[]; readonly got: readonly P[] } {
  const named = (parts: readonly P[]): Map<string, P> => new Map(parts.map((part) => [part.name, part]));
  const [was, now, there] = [named(before), named(after), named(present)];
  const isOther = ({ name, native }: P): boolean => {
    const old = was.get(name);
    return old !== undefined && old.native !== native && there.get(name)?.native !== native;
  };
  const replaced = after.filter((part) => isOther(part));
  return {
    lost: [...before.filter(({ name }) => !now.has(name)), ...replaced].flatMap(
      ({ name }) => there.get(name) ?? [],
    ),
    got: [...after.filter(({ name }) => !was.has(name) && !there.has(name)), ...replaced],
  };
}

/** Constraints that the source has checked since, and the target has not. */
function unvalidated<P extends Part & { readonly validated: boolean }>(
  before: readonly P[],
  after: readonly P[],
  present: readonly P[],
): readonly P[] {
  const open = (parts: readonly P[]): Set<string> =>
    new Set(parts.filter(({ validated }) => !validated).map(({ name }) => name));
  const [was, is] = [open(before), open(present)];
  return after.filter(({ name, validated }) => validated && was.has(name) && is.has(name));
}

function sameIndex(a: TableSchema["indexes"][number], b: TableSchema["indexes"][number]): boolean {
  return a.native === b.native && a.unique === b.unique && a.constraint === b.constraint;
}

function notAltered({ id }: TableSchema, subject: string, cause: MigrationError): MigrationError {
  return new MigrationError("target.object_not_made", {
    message: `${subject} of ${displayTable(id)} does not follow the source's: ${cause.message}`,
    subject: `${displayTable(id)}.${subject}`,
    cause,
  });
}
