import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** A request that was sent to a receiver. */
export interface Received {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** What it was answered with. */
  readonly status: number;
}

/** What stands in the message of an event. */
export interface ToldEvent {
  readonly id: string;
  readonly source: string;
  /** "0079" */
  readonly number: string;
}

/** An HTTP server that is told of events. It can be stopped and started again where it was, and can refuse. */
export class EventReceiver implements AsyncDisposable {
  readonly received: Received[] = [];
  /** HTTP status of its answers. */
  status = 200;
  #server: Server | undefined;
  #port = 0;

  static async start(): Promise<EventReceiver> {
    const receiver = new EventReceiver();
    await receiver.start();
    return receiver;
  }

  get address(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    const server = createServer(async (request, response) => {
      const { status } = this;
      const body = await text(request);
      this.received.push({ url: request.url ?? "", headers: request.headers, body, status });
      response.writeHead(status).end();
    });
    server.listen(this.#port, "127.0.0.1");
    await once(server, "listening");
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }

  /** The events that it took by a webhook, as often as they were told. */
  taken(): ToldEvent[] {
    return this.received
      .filter(({ status }) => status === 200)
      .map(({ body }) => {
        const { MessageId, Message } = JSON.parse(body);
        const message = JSON.parse(Message);
        return {
          id: MessageId,
          source: message.SourceId,
          number: /DMS-EVENT-(\d+)/.exec(message["Event ID"])![1]!,
        };
      });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
