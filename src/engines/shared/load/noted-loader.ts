import type { RowChunk } from "../../../core/row-chunk.ts";
import type { Loaded, Loader, LoadRequest } from "../../../core/target.ts";
import { type OwnWrite, ownWrites } from "../writers/own-writes.ts";

/** A loader of which it is known when it writes. */
export async function notedLoader({ plan }: LoadRequest, open: () => Promise<Loader>): Promise<Loader> {
  const write = ownWrites.begin([plan.target.id]);
  try {
    return new NotedLoader(await open(), write);
  } catch (error) {
    write[Symbol.dispose]();
    throw error;
  }
}

class NotedLoader implements Loader {
  readonly #loader: Loader;
  readonly #write: OwnWrite;

  constructor(loader: Loader, write: OwnWrite) {
    this.#loader = loader;
    this.#write = write;
  }

  write(chunk: RowChunk): Promise<void> {
    return this.#loader.write(chunk);
  }

  finish(): Promise<Loaded> {
    return this.#loader.finish();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#loader[Symbol.asyncDispose]();
    this.#write[Symbol.dispose]();
  }
}
