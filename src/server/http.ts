import { type FastifyInstance, fastify } from "fastify";
import { answer, CONTENT_TYPE, type Gate } from "../api/protocol.ts";

/** Table mappings with many thousand rules and certificates fit; a client cannot fill the memory. */
const LARGEST_BODY = 16 * 1024 * 1024;
/** A client that sends its request drop by drop keeps a connection and its body no longer than this. */
const REQUEST_TIMEOUT_MS = 60_000;

/** AWS's codes for what its front door refuses, by HTTP status. */
const refusals: ReadonlyMap<number, string> = new Map([[413, "RequestEntityTooLargeException"]]);

/** The HTTP server: the API on POST /, and GET /health for load balancers. Logs nothing by itself. */
export function httpServer(gate: Gate): FastifyInstance {
  const server = fastify({
    logger: false,
    bodyLimit: LARGEST_BODY,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
  });
  // The signature covers the body's bytes, whatever its type is said to be.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  server.get("/health", async () => ({ status: "ok" }));
  server.post("/", async (request, reply) => {
    const body = request.body instanceof Uint8Array ? request.body : new Uint8Array();
    const { method, url, headers } = request.raw;
    const result = await answer({ method: method ?? "POST", url: url ?? "/", headers, body }, gate);
    // As bytes: to a text fastify adds a charset, which AWS's content type does not have.
    return reply.code(result.status).headers(result.headers).send(Buffer.from(result.body));
  });
  // What is refused before it is read: too large a body, a content type that is none.
  server.setErrorHandler(async (error: { readonly statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? 500;
    const code = refusals.get(status) ?? (status < 500 ? "SerializationException" : "InternalFailure");
    const message =
      status === 413
        ? `The request's body is larger than ${LARGEST_BODY} bytes.`
        : "The request cannot be read.";
    reply.code(status).header("content-type", CONTENT_TYPE).header("x-amzn-ErrorType", code);
    return reply.send(Buffer.from(JSON.stringify({ __type: code, message })));
  });
  server.setNotFoundHandler(async (_request, reply) =>
    reply.code(404).send({ message: "The API is at POST /, the server's state at GET /health." }),
  );
  return server;
}
