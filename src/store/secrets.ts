import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { failpoint } from "../base/failpoint.ts";
import { writeWhole } from "../base/whole-file.ts";
import { MigrationError } from "../core/error.ts";

const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** First byte of every sealed value, so that the form can change one day. */
const FORM = 1;

/** Encrypts small texts with AES-256-GCM. What a value belongs to is authenticated with it. */
export interface SecretBox {
  /** form (1 byte), nonce (12), tag (16), ciphertext. `owner` must be given again to open it. */
  seal(value: string, owner: string): Uint8Array;
  /** Throws `server.secret_key` when the key or the owner is another one, or the bytes were changed. */
  open(sealed: Uint8Array, owner: string): string;
}

export function secretBox(key: Uint8Array): SecretBox {
  return {
    seal(value, owner) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv("aes-256-gcm", key, iv, { authTagLength: TAG_BYTES });
      cipher.setAAD(Buffer.from(owner));
      const body = Buffer.concat([cipher.update(value, "utf8"), cipher.final()]);
      return Buffer.concat([Buffer.of(FORM), iv, cipher.getAuthTag(), body]);
    },
    open(sealed, owner) {
      if (sealed[0] !== FORM || sealed.length < 1 + IV_BYTES + TAG_BYTES) throw unreadable();
      const iv = sealed.subarray(1, 1 + IV_BYTES);
      const tag = sealed.subarray(1 + IV_BYTES, 1 + IV_BYTES + TAG_BYTES);
      const decipher = createDecipheriv("aes-256-gcm", key, iv, { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.from(owner));
      decipher.setAuthTag(tag);
      try {
        const body = decipher.update(sealed.subarray(1 + IV_BYTES + TAG_BYTES));
        return Buffer.concat([body, decipher.final()]).toString("utf8");
      } catch {
        throw unreadable();
      }
    },
  };
}

/**
 * The key of a data directory: TIDEWAY_SECRET_KEY (base64 of 32 bytes) when set, else the file `key`
 * in it, which is made (mode 0600) when there is none. Throws `server.secret_key`.
 */
export function loadSecretKey(dataDir: string, environment: NodeJS.ProcessEnv): Uint8Array {
  const given = environment.TIDEWAY_SECRET_KEY;
  if (given !== undefined && given !== "") return checkedKey(given, "TIDEWAY_SECRET_KEY");
  const path = join(dataDir, "key");
  if (existsSync(path)) return checkedKey(readFileSync(path, "utf8").trim(), path);
  const fresh = randomBytes(KEY_BYTES);
  // Half a key would lock the store for good. Nobody else has the directory open.
  writeWhole(path, `${fresh.toString("base64")}\n`);
  failpoint("service.key-made");
  return fresh;
}

function checkedKey(text: string, subject: string): Uint8Array {
  const key = Buffer.from(text, "base64");
  if (key.length === KEY_BYTES) return key;
  throw new MigrationError("server.secret_key", {
    message: `${subject} is not a key: it must be the base64 form of ${KEY_BYTES} bytes.`,
    subject,
  });
}

function unreadable(): MigrationError {
  return new MigrationError("server.secret_key", {
    message: "A stored secret cannot be decrypted with the key at hand.",
  });
}
