import { invalidValue } from "./faults.ts";

export interface PageRequest {
  readonly MaxRecords?: number | undefined;
  readonly Marker?: string | undefined;
}

export interface PageLimits {
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

const usual: PageLimits = { default: 100, min: 20, max: 100 };
export const tableStatisticsPages: PageLimits = { default: 100, min: 20, max: 500 };
export const certificatePages: PageLimits = { default: 10, min: 1, max: 100 };

export interface Page<T> {
  readonly items: T[];
  /** Present only when more follow. */
  readonly marker: string | undefined;
}

/**
 * One page of a list. A marker holds the key of the last item that was sent and its place, so that
 * paging goes on rightly when items before it are removed meanwhile.
 */
export function page<T>(
  items: readonly T[],
  request: PageRequest,
  { key, limits = usual }: { readonly key: (item: T) => string; readonly limits?: PageLimits },
): Page<T> {
  const size = request.MaxRecords ?? limits.default;
  if (size < limits.min || size > limits.max) {
    throw invalidValue(
      `Invalid value ${size} for MaxRecords. Must be between ${limits.min} and ${limits.max}`,
    );
  }
  const start = request.Marker ? startAfter(items, parseMarker(request.Marker), key) : 0;
  const part = items.slice(start, start + size);
  const last = part.at(-1);
  const more = start + size < items.length && last !== undefined;
  return { items: part, marker: more ? marker(key(last), start + size) : undefined };
}

function startAfter<T>(
  items: readonly T[],
  [last, place]: readonly [string, number],
  key: (item: T) => string,
): number {
  const before = items[place - 1];
  if (before !== undefined && key(before) === last) return place;
  const found = items.findIndex((item) => key(item) === last);
  return found < 0 ? Math.max(0, place - 1) : found + 1;
}

function marker(last: string, place: number): string {
  return Buffer.from(JSON.stringify([last, place])).toString("base64url");
}

function parseMarker(text: string): readonly [string, number] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(text, "base64url").toString());
    if (Array.isArray(parsed) && typeof parsed[0] === "string" && Number.isSafeInteger(parsed[1])) {
      return [parsed[0], parsed[1]];
    }
  } catch {
    // Not JSON: refused below, like JSON that is no marker.
  }
  throw invalidValue("The marker is not valid. Use the Marker of the response before.");
}
