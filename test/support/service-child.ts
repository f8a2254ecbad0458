import { join } from "node:path";
import { registry } from "../../src/server/engines.ts";
import { startServer } from "../../src/server/main.ts";

/** A process that serves the API on the data directory it is given, and says where it answers. */
const server = await startServer({
  host: "127.0.0.1",
  port: 0,
  dataDir: process.argv[2]!,
  registry,
  workerPath: join(import.meta.dirname, "../../src/server/worker.ts"),
  log: () => undefined,
});
process.on("disconnect", () => void server.close().then(() => process.exit(0)));
process.send?.({ address: server.address, credentialsFile: server.credentialsFile });
