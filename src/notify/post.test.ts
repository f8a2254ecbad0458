import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { test } from "node:test";
import { type DeliveryFailure, post } from "./post.ts";

function* withoutEnd(): Generator<Buffer> {
  for (;;) yield Buffer.alloc(65_536);
}

test("an answer that does not end is taken by its status, and let go", async () => {
  await using server = createServer((request, response) => {
    response.writeHead(request.url === "/taken" ? 200 : 403);
    Readable.from(withoutEnd()).pipe(response);
    response.on("close", () => server.emit("given up"));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const to = (path: string): Promise<void> => {
    const url = new URL(path, `http://127.0.0.1:${port}`);
    return post({ url, headers: {}, body: "" }, AbortSignal.timeout(60_000));
  };
  const givenUp = once(server, "given up");
  await to("/taken");
  await givenUp;
  await assert.rejects(to("/refused"), (failure: DeliveryFailure) => failure.status === 403);
});
