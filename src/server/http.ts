import { type FastifyInstance, fastify } from "fastify";
import { answer, type Gate } from "../api/protocol.ts";

/** Table mappings with many thousand rules and certificates fit; a client cannot fill the memory. */
const LARGEST_BODY = 16 * 1024 * 1024;

/** The HTTP server: the API on POST /, and GET /health for load balancers. Logs nothing by itself. */
export function httpServer(gate: Gate): FastifyInstance {
  const server = fastify({ logger: false, bodyLimit: LARGEST_BODY, forceCloseConnections: true });
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
  server.setNotFoundHandler(async (_request, reply) =>
    reply.code(404).send({ message: "The API is at POST /, the server's state at GET /health." }),
  );
  return server;
}
