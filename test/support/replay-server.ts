import { constants, createHash, generateKeyPairSync, privateDecrypt, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";
import { uint } from "./binlog-events.ts";
import { errorPacket, okPacket, type Row, resultPackets, ServerPackets, Status } from "./replay-packets.ts";

/*
 * What a MySQL 8.4 says, for tests of what no server at hand does: it lets users in by caching_sha2_password as the source
 * documentation has it ("Caching_sha2_password information"), answers statements from a script, and sends a binary log
 * that was made by hand. It is a stand-in for the wire, not for a server: it knows no SQL.
 */

const CAPABILITIES =
  1 | 4 | 8 | 0x200 | 0x2000 | 0x8000 | 0x10000 | 0x20000 | 0x40000 | 0x80000 | 0x100000 | 0x200000;
const TLS = 0x800;
const PLUGIN = "caching_sha2_password";
const NONCE_LENGTH = 20;
const Command = { quit: 1, query: 3, ping: 14, dump: 0x12, dumpAfterGtids: 0x1e } as const;

export interface ReplayOptions {
  readonly user: string;
  readonly password: string;
  /** PEM texts; offers TLS. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** What a statement is answered: the first that fits. Any other without rows. */
  readonly script?: readonly (readonly [
    statement: RegExp,
    columns: readonly string[],
    rows: readonly Row[],
  ])[];
  /** Events that are sent to whoever asks for the log. */
  readonly log?: readonly Buffer[];
}

export class ReplayServer implements AsyncDisposable {
  /** How each user was let in, or not. */
  readonly logins: ("fast" | "by TLS" | "by key" | "refused")[] = [];
  /** The commands that asked for the log. */
  readonly dumps: Buffer[] = [];
  readonly #options: ReplayOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #keys = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  /** The server remembers the password of whoever was let in once. */
  #isCached = false;

  private constructor(options: ReplayOptions, server: Server) {
    this.#options = options;
    this.#server = server;
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      void this.#serve(new ServerPackets(socket));
    });
  }

  static async start(options: ReplayOptions): Promise<ReplayServer> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new ReplayServer(options, server);
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #serve(packets: ServerPackets): Promise<void> {
    if (!(await this.#letIn(packets))) return packets.end();
    for (let command = await packets.read(); command !== undefined; command = await packets.read()) {
      switch (command[0]) {
        case Command.quit:
          return packets.end();
        case Command.query:
          this.#answer(packets, command.subarray(1).toString());
          break;
        case Command.dump:
        case Command.dumpAfterGtids:
          this.dumps.push(command);
          packets.write(...(this.#options.log ?? []).map((event) => Buffer.concat([uint(0, 1), event])));
          break;
        default:
          packets.write(okPacket());
      }
    }
  }

  #answer(packets: ServerPackets, text: string): void {
    const statements = text.split(";").filter((one) => one.trim() !== "");
    for (const [i, statement] of statements.entries()) {
      const status = Status.autocommit | (i < statements.length - 1 ? Status.moreResults : 0);
      const found = this.#options.script?.find(([pattern]) => pattern.test(statement));
      if (found === undefined) packets.write(okPacket(status));
      else packets.write(...resultPackets(found[1], found[2], status));
    }
  }

  async #letIn(packets: ServerPackets): Promise<boolean> {
    const nonce = Buffer.from(randomBytes(NONCE_LENGTH).map((byte) => (byte % 127) + 1));
    packets.greet(this.#greeting(nonce));
    let response = await packets.read();
    if (response === undefined) return false;
    const isSecure = (response.readUInt32LE(0) & TLS) !== 0;
    if (isSecure) {
      const { certificate, key } = this.#options.tls!;
      const secureContext = createSecureContext({ cert: certificate, key });
      packets.upgrade((socket) => new TLSSocket(socket, { isServer: true, secureContext }));
      response = await packets.read();
      if (response === undefined) return false;
    }
    const { user, scramble } = readResponse(response);
    const how =
      user === this.#options.user ? await this.#proof(packets, { nonce, scramble, isSecure }) : "refused";
    this.logins.push(how);
    this.#isCached ||= how !== "refused";
    packets.write(
      how === "refused"
        ? errorPacket(1045, "28000", `Access denied for user '${user}'@'localhost' (using password: YES)`)
        : okPacket(),
    );
    return how !== "refused";
  }

  /** Fast by what is remembered; else the password itself is asked for, over TLS or encrypted. */
  async #proof(
    packets: ServerPackets,
    {
      nonce,
      scramble,
      isSecure,
    }: { readonly nonce: Buffer; readonly scramble: Buffer; readonly isSecure: boolean },
  ): Promise<"fast" | "by TLS" | "by key" | "refused"> {
    if (this.#isCached && scramble.equals(scrambleOf(this.#options.password, nonce))) {
      packets.write(Buffer.from([1, 3]));
      return "fast";
    }
    packets.write(Buffer.from([1, 4]));
    let answer = await packets.read();
    if (answer === undefined) return "refused";
    if (!isSecure) {
      // Asks for the key.
      if (!answer.equals(Buffer.from([2]))) return "refused";
      packets.write(Buffer.concat([uint(1, 1), Buffer.from(this.#keys.publicKey)]));
      const encrypted = await packets.read();
      if (encrypted === undefined) return "refused";
      const key = { key: this.#keys.privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING };
      answer = Buffer.from(privateDecrypt(key, encrypted).map((byte, i) => byte ^ nonce[i % NONCE_LENGTH]!));
    }
    if (!answer.equals(Buffer.from(`${this.#options.password}\0`))) return "refused";
    return isSecure ? "by TLS" : "by key";
  }

  #greeting(nonce: Buffer): Buffer {
    const capabilities = CAPABILITIES | (this.#options.tls === undefined ? 0 : TLS);
    return Buffer.concat([
      ...[uint(10, 1), Buffer.from("8.4.0\0"), uint(7, 4), nonce.subarray(0, 8), uint(0, 1)],
      ...[
        uint(capabilities & 0xffff, 2),
        uint(255, 1),
        uint(Status.autocommit, 2),
        uint(capabilities >>> 16, 2),
      ],
      ...[
        uint(NONCE_LENGTH + 1, 1),
        Buffer.alloc(10),
        nonce.subarray(8),
        uint(0, 1),
        Buffer.from(`${PLUGIN}\0`),
      ],
    ]);
  }
}

/** Behind capabilities, sizes and zeros: the user, and what proves that it knows the password. */
function readResponse(response: Buffer): { readonly user: string; readonly scramble: Buffer } {
  const userEnd = response.indexOf(0, 32);
  const length = response[userEnd + 1]!;
  return {
    user: response.subarray(32, userEnd).toString(),
    scramble: response.subarray(userEnd + 2, userEnd + 2 + length),
  };
}

function scrambleOf(password: string, nonce: Buffer): Buffer {
  const sha256 = (...parts: readonly (Buffer | string)[]): Buffer => {
    const hash = createHash("sha256");
    for (const part of parts) hash.update(part);
    return hash.digest();
  };
  const first = sha256(password);
  const mask = sha256(sha256(first), nonce);
  return Buffer.from(first.map((byte, i) => byte ^ mask[i]!));
}
