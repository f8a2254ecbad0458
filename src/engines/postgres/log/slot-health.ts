import type pg from "pg";
import type { Finding } from "../../../core/finding.ts";
import type { StreamHealth } from "../../../core/source.ts";
import { finding } from "../../shared/finding.ts";
import { selectJson } from "../catalog/catalog-query.ts";

/** Of the log that the server lets a slot keep (max_slot_wal_keep_size), the share that must be free. */
const ENOUGH = 0.25;

interface SlotFacts {
  /** reserved, extended, unreserved or lost; null before version 13. */
  readonly status: string | null;
  /** What may still be written before the slot is lost; null without a limit. */
  readonly safeMb: number | null;
  readonly limitMb: number | null;
  /** null of a slot that is lost. */
  readonly behindBytes: number | null;
  readonly keptBytes: number | null;
  /** Physical slots whose standbys the source waits for and that nobody is connected to; null for none. */
  readonly awaited: readonly string[] | null;
}

/**
 * How far the reader of a slot is behind, and what threatens it as long as something can be done: a slot whose log is
 * gone cannot be read any more, and everything has to be loaded again. Undefined when there is no such slot.
 */
export async function slotHealth(client: pg.Client, name: string): Promise<StreamHealth | undefined> {
  const [slot] = await selectJson<SlotFacts>(client, FACTS, [name]);
  if (slot === undefined) return undefined;
  const { behindBytes, keptBytes } = slot;
  return {
    findings: [...logAtRisk(name, slot), ...(slot.awaited ?? []).map(standbyAway)],
    behindBytes: Math.max(0, behindBytes ?? 0),
    keptBytes: Math.max(0, keptBytes ?? 0),
  };
}

/** Columns that came with version 13 (wal_status) and 17 (failover). The setting's names are quoted or not. */
const FACTS = `
  select slot ->> 'wal_status' as status, (slot ->> 'safe_wal_size')::float8 / 1048576 as "safeMb",
    nullif((select setting::float8 from pg_settings where name = 'max_slot_wal_keep_size'), -1) as "limitMb",
    pg_wal_lsn_diff(log_end, (slot ->> 'confirmed_flush_lsn')::pg_lsn) as "behindBytes",
    pg_wal_lsn_diff(log_end, (slot ->> 'restart_lsn')::pg_lsn) as "keptBytes",
    (select json_agg(wanted) from unnest(string_to_array(current_setting('synchronized_standby_slots', true), ',')) as listed
       cross join lateral btrim(listed, ' "') as wanted
      where slot @> '{"failover": true}' and wanted <> ''
        and not exists (select from pg_replication_slots p where p.slot_name = wanted and p.active)) as awaited
    from (select to_jsonb(s) as slot, case when pg_is_in_recovery() then pg_last_wal_replay_lsn()
                                           else pg_current_wal_lsn() end as log_end
            from pg_replication_slots s where s.slot_name = $1) as one`;

function logAtRisk(name: string, { status, safeMb, limitMb }: SlotFacts): Finding[] {
  if (status === "unreserved") return [atRisk(name, "The next checkpoint of the source may discard it.")];
  if (safeMb === null || limitMb === null || safeMb >= limitMb * ENOUGH) return [];
  return [
    atRisk(
      name,
      `The source keeps ${limitMb} MB for it, of which ${Math.max(0, Math.round(safeMb))} MB are left.`,
    ),
  ];
}

function atRisk(name: string, why: string): Finding {
  return finding("source.slot_at_risk", "warning", {
    subject: name,
    message: `The log that the slot ${name} still needs is about to be lost. ${why}`,
  });
}

function standbyAway(slot: string): Finding {
  return finding("source.standby_away", "warning", {
    subject: slot,
    message: `The source sends no changes before the standby of the slot ${slot} has them (synchronized_standby_slots), and none is connected.`,
  });
}
