import assert from "node:assert/strict";
import { eventually } from "./eventually.ts";

/*
 * How Terraform's provider for AWS (hashicorp/terraform-provider-aws, internal/service/dms) waits for resources and finds
 * out whether they differ from what was written. It asks every few seconds; here nothing is gained by that.
 */

export interface StateWait {
  /** What the provider bears on the way; anything else is an error that it reports. */
  readonly pending: readonly string[];
  /** Where it is content; none: when the resource is gone. */
  readonly target: readonly string[];
}

/** Waits for a state as the provider does: a state that is neither pending nor a target fails. */
export function reaches(
  { pending, target }: StateWait,
  read: () => Promise<string | undefined>,
): Promise<unknown> {
  return eventually(`${target.join(" or ") || "the resource to be gone"}`, async () => {
    const state = await found(read);
    if (state === undefined) {
      assert.deepEqual(target, [], "the provider finds nothing");
      return true;
    }
    if (target.includes(state)) return true;
    assert.ok(pending.includes(state), `the provider reports the unexpected state ${state}`);
    return false;
  });
}

/** undefined for what is gone: the service says so, or lists nothing. */
export async function found<T>(read: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if ((error as Error).name === "ResourceNotFoundFault") return undefined;
    throw error;
  }
}

/**
 * Whether a plan is empty for a settings document: each member that was written must be there with that value. A null
 * that was written asks for the member alone, and what the service adds does not matter; the CloudWatch names, which
 * nobody may write, are left out, and log components are compared by their Id.
 */
export function sameSettings(returned: string, written: string): boolean {
  return holds(withComponents(JSON.parse(returned)), withComponents(JSON.parse(written)));
}

function withComponents(document: Record<string, unknown>): unknown {
  const { Logging: logging } = document as { readonly Logging?: Record<string, unknown> };
  if (!Array.isArray(logging?.LogComponents)) return document;
  const components = logging.LogComponents.map(({ Id, Severity }) => [Id, Severity]);
  return { ...document, Logging: { ...logging, LogComponents: Object.fromEntries(components) } };
}

function holds(returned: unknown, written: unknown): boolean {
  if (written === null) return true;
  if (typeof written !== "object" || typeof returned !== "object" || returned === null) {
    return returned === written;
  }
  // The provider knows no lists but that of log components: they never compare as equal.
  if (Array.isArray(written)) return false;
  return Object.entries(written).every(
    ([name, value]) => Object.hasOwn(returned, name) && holds(Reflect.get(returned, name), value),
  );
}

/** Whether a plan is empty for a JSON document that the service returns as it was given. */
export function assertSameJson(returned: string | undefined, written: string): void {
  assert.deepEqual(JSON.parse(returned ?? "null"), JSON.parse(written));
}

/** Whether a plan is empty for the members that were written. */
export function assertHolds(returned: object | undefined, written: object): void {
  const shown = Object.keys(written).map((name) => [name, Reflect.get(returned ?? {}, name)]);
  assert.deepEqual(Object.fromEntries(shown), written);
}
