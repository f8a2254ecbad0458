import type { ServerProbe } from "../../core/server-probe.ts";

/** The shortest of some round trips is the one that waited least: its middle is when the server looked at its clock. */
const ROUND_TRIPS = 5;

export type ClockProbe = Pick<ServerProbe, "roundTripMs" | "clockSkewMs">;

/** `now` asks the server for its clock, in milliseconds since 1970. */
export async function probeClock(now: () => Promise<number>): Promise<ClockProbe> {
  let best: ClockProbe | undefined;
  for (let i = 0; i < ROUND_TRIPS; i++) {
    const sent = performance.now();
    const serverMs = await now();
    const roundTripMs = performance.now() - sent;
    if (best !== undefined && roundTripMs >= best.roundTripMs) continue;
    const middle = performance.timeOrigin + sent + roundTripMs / 2;
    best = { roundTripMs, clockSkewMs: serverMs - middle };
  }
  return best!;
}
