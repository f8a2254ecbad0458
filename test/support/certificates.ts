import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Certificates {
  /** PEM of the CA that signed the server's certificate. */
  readonly ca: string;
  /** PEM of a CA that signed nothing. */
  readonly otherCa: string;
  /** PEMs of a server certificate. */
  readonly certificate: string;
  readonly key: string;
}

/** A CA, a server certificate of it for the given names (`IP:127.0.0.1`, `DNS:localhost`), and a foreign CA. */
export function makeCertificates(names: readonly string[]): Certificates {
  const directory = mkdtempSync(join(tmpdir(), "tideway-tls-"));
  const openssl = (...words: string[]): void => {
    execFileSync("openssl", words, { cwd: directory, stdio: ["ignore", "ignore", "pipe"] });
  };
  try {
    for (const name of ["ca", "other"]) {
      openssl(
        ...KEY,
        "-x509",
        "-days",
        "2",
        "-subj",
        `/CN=tideway ${name}`,
        "-keyout",
        `${name}.key`,
        "-out",
        name,
      );
    }
    openssl(...KEY, "-subj", "/CN=tideway server", "-keyout", "server.key", "-out", "server.csr");
    writeFileSync(join(directory, "names"), `subjectAltName=${names.join(",")}\n`);
    const signing = ["-CA", "ca", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"];
    openssl("x509", "-req", "-in", "server.csr", ...signing, "-out", "server");
    const read = (name: string): string => readFileSync(join(directory, name), "utf8");
    return { ca: read("ca"), otherCa: read("other"), certificate: read("server"), key: read("server.key") };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const KEY = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
