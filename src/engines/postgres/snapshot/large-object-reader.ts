import type { LargeObject } from "../../../core/large-object.ts";
import type { Grant } from "../../../core/rights.ts";
import { literal } from "../../shared/identifier.ts";
import { DIFFERENCES, listed } from "../catalog/catalog-rights.ts";
import type { WireSession } from "../connection/wire-session.ts";

/** Read with the object itself: most are no longer. */
const HEAD_BYTES = 64 << 10;
/** Longer ones come in pieces; each takes twice as much as text on the way. */
const PIECE_BYTES = 1 << 20;
/**
 * Large objects in one query, and in one transaction of the target, where each takes a lock that gets a
 * comment or another owner: of those a server has max_locks_per_transaction (64) for each connection, for all connections together.
 */
const AT_ONCE = 100;

/** lo_get() reads what the transaction's snapshot shows. The client must be in a transaction. */
export async function readLargeObjects(wire: WireSession, after: string): Promise<LargeObject[]> {
  const { rows } = await wire.query(`
    select t.oid, encode(lo_get(t.oid, 0, ${HEAD_BYTES}), 'hex'), obj_description(t.oid, 'pg_largeobject'),
           pg_get_userbyid(t.owner), ${listed(DIFFERENCES.granted)}, ${listed(DIFFERENCES.revoked)}
      from (select oid, lomowner as owner, lomacl as acl, acldefault('L', lomowner) as built_in
              from pg_largeobject_metadata where oid > ${literal(after)}::oid order by oid limit ${AT_ONCE}) as t
     order by t.oid`);
  return rows.map(([id, hex, comment, owner, granted, revoked]) => {
    const head = Buffer.from(hex!, "hex");
    return {
      ...{ id: id!, head, isWhole: head.length < HEAD_BYTES },
      ...(comment === null || comment === undefined ? {} : { comment }),
      rights: {
        ...{ kind: "large object", id: { schema: "", name: id! }, owner: owner! },
        ...{ granted: JSON.parse(granted!) as Grant[], revoked: JSON.parse(revoked!) as Grant[] },
      },
    };
  });
}

/** What follows the head, in pieces. The client must be in a transaction. */
export async function* readRest(wire: WireSession, id: string): AsyncGenerator<Uint8Array> {
  for (let at = HEAD_BYTES; ; at += PIECE_BYTES) {
    const { rows } = await wire.query(
      `select encode(lo_get(${literal(id)}::oid, ${at}, ${PIECE_BYTES}), 'hex')`,
    );
    const piece = Buffer.from(rows[0]![0]!, "hex");
    if (piece.length > 0) yield piece;
    if (piece.length < PIECE_BYTES) return;
  }
}
