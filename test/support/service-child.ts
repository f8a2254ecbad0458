import { join } from "node:path";
import { registry } from "../../src/server/engines.ts";
import { startServer } from "../../src/server/main.ts";

/** A process that serves the API on the data directory it is given, and says where it answers; a file of topics may follow. */
const [, , dataDir = "", topicsFile] = process.argv;
const server = await startServer({
  host: "127.0.0.1",
  port: 0,
  dataDir,
  registry,
  workerPath: join(import.meta.dirname, "../../src/server/worker.ts"),
  log: () => undefined,
  topics: { topicsFile, environment: {} },
});
process.on("disconnect", () => void server.close().then(() => process.exit(0)));
process.send?.({ address: server.address, credentialsFile: server.credentialsFile });
