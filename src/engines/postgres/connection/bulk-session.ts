import type { EndpointConfig, EndpointRole } from "../../../core/engine.ts";
import { literal } from "../../shared/identifier.ts";
import { openWire } from "./connection.ts";
import { classify } from "./errors.ts";
import type { WireSession } from "./wire-session.ts";

/**
 * Settings of a database or a role that would change what COPY means. Those that every session has from its
 * start are repeated, because an endpoint's script may have changed them. Names that a server's version does
 * not know are passed over.
 */
const bothSides: readonly (readonly [string, string])[] = [
  ["standard_conforming_strings", "on"],
  ["lc_monetary", "C"],
];

const perSide: Readonly<Record<EndpointRole, readonly (readonly [string, string])[]>> = {
  source: [
    // Every name that the server writes out is qualified, and every operator is the built-in one.
    ["search_path", "pg_catalog"],
    ["jit", "off"],
    // A policy must be an error, not a row that silently is not read.
    ["row_security", "off"],
    // In ranges, arrays and composite values a moment is part of a text, which is compared with another server's.
    ["TimeZone", "UTC"],
  ],
  target: [
    ["xmloption", "content"],
    ["array_nulls", "on"],
    ["default_transaction_isolation", "read committed"],
  ],
};

/** A statement that puts a session's settings right. */
export function settingsSql(side: EndpointRole): string {
  const rows = [...bothSides, ...perSide[side]].map(
    ([name, value]) => `(${literal(name)}, ${literal(value)})`,
  );
  // To look the names up in pg_settings takes longer than to connect.
  return `select pg_catalog.set_config(v.name, v.value, false)
    from (values ${rows.join(", ")}) as v(name, value)
   where pg_catalog.current_setting(v.name, true) is not null`;
}

/** What was committed must survive a crash of the server, whatever the role's default: others rely on it. */
export const DURABLE_COMMITS = `select set_config('synchronous_commit', 'on', false)
  where current_setting('synchronous_commit') = 'off'`;

/**
 * A statement that raises a setting of memory to so many MB where the server's value is lower; none where
 * its version does not know the name.
 */
export function atLeastSql(setting: string, megabytes: number): string {
  // Unlike current_setting(), pg_settings is slow to look a name up in.
  return `select pg_catalog.set_config('${setting}', '${megabytes}MB', false)
   where pg_catalog.pg_size_bytes(pg_catalog.current_setting('${setting}', true)) < ${megabytes}::bigint << 20`;
}

/** A session for bulk reading or writing with its settings put right. */
export async function openBulkSession(
  endpoint: EndpointConfig,
  side: EndpointRole,
  signal: AbortSignal,
): Promise<WireSession> {
  const purpose = side === "source" ? "tideway read" : "tideway load";
  const wire = await openWire(endpoint, { side, purpose }, signal);
  try {
    await wire.query(settingsSql(side));
    return wire;
  } catch (error) {
    await wire[Symbol.asyncDispose]();
    throw classify(error, { side, endpoint });
  }
}
