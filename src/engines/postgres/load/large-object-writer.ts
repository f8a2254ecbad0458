import type pg from "pg";
import { failpoint } from "../../../base/failpoint.ts";
import { MigrationError } from "../../../core/error.ts";
import type { Finding } from "../../../core/finding.ts";
import type { WriteLargeObjects } from "../../../core/target.ts";
import { literal } from "../../shared/identifier.ts";
import { moveLargeObjectsSql } from "../apply/journal-sql.ts";
import { selectJson } from "../catalog/catalog-query.ts";
import { readLargeObjectRights } from "../catalog/catalog-rights.ts";
import { giveRights, type RightsPlace } from "./give-rights.ts";

/** What a statement fails with must not take the others along. */
const WITHIN_TRANSACTION: RightsPlace = {
  present: (client, wanted) => {
    return readLargeObjectRights(
      client,
      wanted.map(({ id }) => id.name),
    );
  },
  run: (client, statement) => client.query(`savepoint rights; ${statement}; release savepoint rights`),
  undo: (client) => client.query("rollback to savepoint rights; release savepoint rights"),
};

/** Which of some large objects are there. */
export async function presentLargeObjects(client: pg.Client, ids: readonly string[]): Promise<string[]> {
  const rows = await selectJson<{ id: string }>(
    client,
    "select oid::text as id from pg_largeobject_metadata where oid = any($1::oid[]) order by oid",
    [ids],
  );
  return rows.map(({ id }) => id);
}

/**
 * One transaction makes large objects, and records that those up to a number are done: after a crash both
 * are there or none. Records first, so that a transaction of an earlier attempt that is still about to
 * commit is waited for, and then seen.
 */
export async function writeLargeObjects(client: pg.Client, request: WriteLargeObjects): Promise<Finding[]> {
  const { objects, rest } = request;
  await client.query("begin isolation level read committed");
  const { rowCount } = await client.query(moveLargeObjectsSql(request));
  if (rowCount === 0) {
    throw new MigrationError("load.partition_taken", {
      message: "The large objects that were to be written are not waiting any more.",
      subject: "large objects",
    });
  }
  await client.query(
    "select lo_put(lo_create(o.id), 0, o.head) from unnest($1::oid[], $2::bytea[]) as o(id, head)",
    [objects.map(({ id }) => id), objects.map(({ head }) => head)],
  );
  for (const { id, head, isWhole } of objects) {
    let at = head.length;
    if (isWhole) continue;
    for await (const piece of rest(id)) {
      await client.query("select lo_put($1::oid, $2::int8, $3::bytea)", [id, at, piece]);
      at += piece.length;
    }
  }
  const comments = objects.flatMap(({ id, comment }) => {
    return comment === undefined ? [] : [`comment on large object ${BigInt(id)} is ${literal(comment)}`];
  });
  if (comments.length > 0) await client.query(comments.join("; "));
  const rights = request.withRights ? objects.map((object) => object.rights) : [];
  const findings = await giveRights(client, { rights, kept: [], replicates: false }, WITHIN_TRANSACTION);
  failpoint("load.large-objects-written");
  await client.query("commit");
  return findings;
}
