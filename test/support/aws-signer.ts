import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";

type Data = string | ArrayBuffer | ArrayBufferView;

/** Node's hash in the shape that AWS's own signer wants. */
export class Sha256 {
  #hash: Hash | Hmac;
  readonly #key: Data | undefined;

  constructor(key?: Data) {
    this.#key = key;
    this.#hash = this.#start();
  }

  update(data: Data): void {
    this.#hash.update(bytes(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    this.#hash = this.#start();
  }

  #start(): Hash | Hmac {
    return this.#key === undefined ? createHash("sha256") : createHmac("sha256", bytes(this.#key));
  }
}

function bytes(data: Data): Uint8Array {
  if (typeof data === "string") return Buffer.from(data);
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
