import ZongJi from "@vlasky/zongji";

/* The same as binlog-read.ts by the package @vlasky/zongji; the log's file and byte are in $LOG_FILE and $LOG_BYTE. */

interface RowsEvent {
  getTypeName(): string;
  readonly rows?: readonly unknown[];
}

const url = new URL(process.env["SOURCE"]!);
const wanted = Number(process.env["ROWS"]);
const reader = new ZongJi({
  host: url.hostname,
  port: Number(url.port),
  user: decodeURIComponent(url.username),
  password: decodeURIComponent(url.password),
});
let rows = 0;
await new Promise<void>((resolve, reject) => {
  reader.on("error", reject);
  reader.on("binlog", (...[heard]: unknown[]) => {
    rows += (heard as RowsEvent).rows?.length ?? 0;
    if (rows >= wanted) resolve();
  });
  reader.start({
    includeSchema: { [url.pathname.slice(1)]: true },
    includeEvents: ["tablemap", "writerows", "updaterows", "deleterows"],
    filename: process.env["LOG_FILE"]!,
    position: Number(process.env["LOG_BYTE"]),
    serverId: 4242,
  });
});
await reader.stop();
if (rows !== wanted) throw new Error(`${rows} changes came instead of ${wanted}.`);
process.exit(0);
