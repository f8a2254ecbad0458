import { errorCode } from "./error-code.ts";

/** Looking up an object by number or name that was dropped after the statement began to look. */
const GONE = new Set(["XX000", "42P01", "42704"]);
const ATTEMPTS = 5;

/** Whether a look at the catalog failed as something of it went meanwhile: another sees it as it is then. */
export function isGone(error: unknown): boolean {
  return GONE.has(errorCode(error) ?? "");
}

/** Looks as often as something goes meanwhile, within reason. The client must not be in a transaction, but for one of `look`'s own. */
export async function lookAgain<Found>(
  look: () => Promise<Found>,
  isOutdated: (error: unknown) => boolean = isGone,
): Promise<Found> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await look();
    } catch (error) {
      if (attempt === ATTEMPTS || !isOutdated(error)) throw error;
    }
  }
}
