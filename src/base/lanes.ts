/**
 * Runs `work` on items pulled from `next` in up to `count` concurrent lanes, until `next` resolves
 * with undefined. The first failure stops all lanes from taking more; it is thrown when all have ended.
 */
export async function runLanes<Item>(
  count: number,
  next: () => Promise<Item | undefined>,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  let failure: { readonly error: unknown } | undefined;
  const lane = async (): Promise<void> => {
    while (failure === undefined) {
      try {
        const item = await next();
        if (item === undefined) return;
        await work(item);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: count }, lane));
  if (failure !== undefined) throw failure.error;
}

/** Runs `work` on each item, at most `count` at once. */
export async function forEachLimited<Item>(
  items: readonly Item[],
  count: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  let index = 0;
  await runLanes(Math.min(count, items.length), async () => items[index++], work);
}
