import { once } from "node:events";
import { connect as connectTo, createServer, type Server, type Socket } from "node:net";

interface Pair {
  readonly inner: Socket;
  readonly outer: Socket;
  /** Its packets are lost from now on, and nobody is told. */
  dead: boolean;
}

/** A network between a program and a server on this machine, with the faults that networks have. */
export class TcpProxy implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  #targetPort: number;
  readonly #pairs = new Set<Pair>();
  /** Nothing passes. */
  #dark = false;
  #bytesPerSecond = Infinity;
  #delayMs = 0;
  #waits = 0;
  #accepted = 0;
  #awaited: { readonly text: string; readonly work: () => Promise<void> } | undefined;

  private constructor(server: Server, port: number, targetPort: number) {
    this.#server = server;
    this.port = port;
    this.#targetPort = targetPort;
  }

  static async start(targetPort: number): Promise<TcpProxy> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const proxy = new TcpProxy(server, (server.address() as { port: number }).port, targetPort);
    server.on("connection", (outer) => {
      proxy.#accepted++;
      proxy.#join(outer);
    });
    return proxy;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  /** How many there have been. */
  get accepted(): number {
    return this.#accepted;
  }

  /** New connections lead to another server; those there are stay. */
  redirect(targetPort: number): void {
    this.#targetPort = targetPort;
  }

  /** How often something had to wait so far because the line was slow. */
  get waits(): number {
    return this.#waits;
  }

  /** All connections end at once, as when a firewall is restarted. New ones pass. */
  reset(): void {
    for (const pair of this.#pairs) {
      pair.inner.resetAndDestroy();
      pair.outer.resetAndDestroy();
    }
  }

  /** Nothing passes, also of new connections, until heal(). What is under way waits. */
  blackhole(): void {
    this.#dark = true;
    for (const pair of this.#pairs) this.#hold(pair);
  }

  /** Connections there are carry nothing any more, and neither end learns of it. New ones pass. */
  forget(): void {
    for (const pair of this.#pairs) {
      pair.dead = true;
      this.#hold(pair);
    }
  }

  /** The server learns of the connections that carry nothing any more, as by TCP keepalive; the program does not. */
  bury(): void {
    for (const { inner, dead } of this.#pairs) if (dead) inner.resetAndDestroy();
  }

  /** What each connection carries in each direction; Infinity for as much as comes. */
  slow(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** How long what is sent is on its way, in each direction. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** What the program sends next with this text in it comes to the server when the work is done. */
  before(text: string, work: () => Promise<void>): void {
    this.#awaited = { text, work };
  }

  heal(): void {
    this.#dark = false;
    this.#bytesPerSecond = Infinity;
    this.#delayMs = 0;
    for (const { inner, outer, dead } of this.#pairs) {
      if (dead) continue;
      inner.resume();
      outer.resume();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const { inner, outer } of this.#pairs) {
      inner.destroy();
      outer.destroy();
    }
    this.#pairs.clear();
  }

  #hold({ inner, outer }: Pair): void {
    inner.pause();
    outer.pause();
  }

  #join(outer: Socket): void {
    const inner = connectTo({ host: "127.0.0.1", port: this.#targetPort, noDelay: true });
    outer.setNoDelay(true);
    const pair: Pair = { inner, outer, dead: false };
    this.#pairs.add(pair);
    this.#carry(pair, outer, inner);
    this.#carry(pair, inner, outer);
    if (this.#dark) this.#hold(pair);
  }

  #carry(pair: Pair, from: Socket, to: Socket): void {
    from.on("data", (bytes: Buffer) => {
      const awaited = this.#awaited;
      if (awaited !== undefined && from === pair.outer && bytes.includes(awaited.text)) {
        this.#awaited = undefined;
        from.pause();
        void awaited.work().then(() => {
          to.write(bytes);
          from.resume();
        });
        return;
      }
      if (this.#delayMs > 0) {
        setTimeout(() => to.write(bytes), this.#delayMs);
        return;
      }
      const isFree = to.write(bytes);
      const waitMs = (bytes.length / this.#bytesPerSecond) * 1000;
      if (isFree && waitMs === 0) return;
      from.pause();
      const go = (): void => {
        if (!this.#dark && !pair.dead) from.resume();
      };
      if (waitMs > 0) {
        this.#waits++;
        setTimeout(go, waitMs);
      } else to.once("drain", go);
    });
    from.on("error", () => to.destroy());
    from.on("end", () => {
      if (!pair.dead) to.end();
    });
    from.on("close", () => {
      // The other end of a dead connection does not learn that this one has gone.
      if (!pair.dead) to.destroy();
      if (pair.inner.destroyed && pair.outer.destroyed) this.#pairs.delete(pair);
    });
  }
}
