import type { PostgresServer } from "../test/support/postgres-server.ts";
import type { SmallDisk } from "../test/support/small-disk.ts";
import type { TcpProxy } from "../test/support/tcp-proxy.ts";
import type { Migration } from "./migration.ts";
import type { Observer } from "./observer.ts";
import type { Service } from "./service.ts";

/** A database server, the network that Tideway reaches it through, and somebody who looks at it past that network. */
export interface Side {
  readonly server: PostgresServer;
  readonly database: string;
  readonly proxy: TcpProxy;
  readonly observer: Observer;
}

/** Everything that a fault can befall. */
export interface World {
  readonly source: Side;
  readonly target: Side;
  readonly service: Service;
  readonly migration: Migration;
  /** Holds the service's data directory; undefined where file systems may not be mounted. */
  readonly disk: SmallDisk | undefined;
}

/** Number of the beat that has arrived there; undefined while the table or the server is not there. */
export async function beatOf({ observer }: Side): Promise<number | undefined> {
  const there = await observer.ask<{ there: boolean }>(
    "select to_regclass('soak.beat') is not null as there",
  );
  if (there?.there !== true) return undefined;
  return (await observer.ask<{ number: number }>("select number::int from soak.beat where id = 1"))?.number;
}
