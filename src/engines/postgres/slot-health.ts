import type pg from "pg";
import type { Finding } from "../../core/finding.ts";
import { selectJson } from "./catalog-query.ts";
import { finding } from "./finding.ts";

/** Of the log that the server lets a slot keep (max_slot_wal_keep_size), the share that must be free. */
const ENOUGH = 0.25;

interface SlotFacts {
  /** reserved, extended, unreserved or lost; null before version 13. */
  readonly status: string | null;
  /** What may still be written before the slot is lost; null without a limit. */
  readonly safeMb: number | null;
  readonly limitMb: number | null;
}

/**
 * Whether the server is about to give up on a slot, as long as something can be done: a slot whose log is
 * gone cannot be read any more, and everything has to be loaded again.
 */
export async function slotHealth(client: pg.Client, name: string): Promise<Finding[]> {
  const [slot] = await selectJson<SlotFacts>(client, FACTS, [name]);
  if (slot === undefined) return [];
  const { status, safeMb, limitMb } = slot;
  if (status === "unreserved") return [atRisk(name, "The next checkpoint of the source may discard it.")];
  if (safeMb === null || limitMb === null || safeMb >= limitMb * ENOUGH) return [];
  return [
    atRisk(
      name,
      `The source keeps ${limitMb} MB for it, of which ${Math.max(0, Math.round(safeMb))} MB are left.`,
    ),
  ];
}

/** The columns came with version 13. */
const FACTS = `
  select slot ->> 'wal_status' as status, (slot ->> 'safe_wal_size')::float8 / 1048576 as "safeMb",
    nullif((select setting::float8 from pg_settings where name = 'max_slot_wal_keep_size'), -1) as "limitMb"
    from (select to_jsonb(s) as slot from pg_replication_slots s where s.slot_name = $1) as one`;

function atRisk(name: string, why: string): Finding {
  return finding("source.slot_at_risk", "warning", {
    subject: name,
    message: `The log that the slot ${name} still needs is about to be lost. ${why}`,
  });
}
