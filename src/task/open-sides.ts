import type { EndpointConfig, Engine, EngineRegistry } from "../core/engine.ts";
import type { Source } from "../core/source.ts";
import type { Target } from "../core/target.ts";
import type { TaskSpec } from "./task.ts";

/** Opens source and target at once. When one cannot be opened, the other is closed again. */
export async function openSides(
  { source: from, target: to }: TaskSpec,
  registry: EngineRegistry,
  signal: AbortSignal,
): Promise<AsyncDisposable & { readonly source: Source; readonly target: Target }> {
  await using opened = new AsyncDisposableStack();
  const [source, target] = await openBoth(
    opened,
    registry.find(from.engine).openSource(from, signal),
    registry.find(to.engine).openTarget(to, signal),
  );
  const kept = opened.move();
  return { source, target, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Opens both sides at once, to be disposed with the stack; when one fails, the other is closed and the error thrown. */
export async function openBoth<A extends AsyncDisposable, B extends AsyncDisposable>(
  stack: AsyncDisposableStack,
  first: Promise<A>,
  second: Promise<B>,
): Promise<[A, B]> {
  const opened = await Promise.allSettled([first, second]);
  for (const one of opened) if (one.status === "fulfilled") stack.use(one.value);
  const failed = opened.find((one) => one.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return [await first, await second];
}

/**
 * Settings of a target's endpoint are not those of a source, and one that names a database may have its tables in others
 * of the server.
 */
export function asRead(endpoint: EndpointConfig, { reaches }: Engine): EndpointConfig {
  const database = reaches === "server" ? "" : endpoint.database;
  return { ...endpoint, settings: {}, database, readAs: "target" };
}

/** Opens a task's target as a database that is read. */
export async function openTargetToRead(
  { target }: Pick<TaskSpec, "target">,
  registry: EngineRegistry,
  signal: AbortSignal,
): Promise<Source> {
  const engine = registry.find(target.engine);
  return await engine.openSource(asRead(target, engine), signal);
}
