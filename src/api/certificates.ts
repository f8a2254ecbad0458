import { X509Certificate } from "node:crypto";
import type {
  Certificate,
  DeleteCertificateMessage,
  DeleteCertificateResponse,
  DescribeCertificatesMessage,
  DescribeCertificatesResponse,
  ImportCertificateMessage,
  ImportCertificateResponse,
} from "@aws-sdk/client-database-migration-service";
import type { CertificateRecord } from "../task/records.ts";
import { checkIdentifier, makeArn, newResourceId } from "./arn.ts";
import { alreadyExists, Fault, invalidCombination, invalidState, notFound } from "./faults.ts";
import { filteredOrNotFound } from "./filters.ts";
import { certificatePages, page } from "./paging.ts";
import type { Call } from "./service.ts";
import type { Checked } from "./shapes.ts";
import { checkTags } from "./tag-rules.ts";

/** Name of a wallet among the secrets. */
const WALLET = "wallet";

export async function importCertificate(
  request: Checked<ImportCertificateMessage>,
  call: Call,
): Promise<ImportCertificateResponse> {
  checkIdentifier("CertificateIdentifier", request.CertificateIdentifier, 255);
  const { CertificatePem: pem, CertificateWallet: wallet } = request;
  if ((pem === undefined) === (wallet === undefined)) {
    throw invalidCombination("Give either CertificatePem or CertificateWallet.");
  }
  const tags = checkTags(request.Tags);
  const record: CertificateRecord = {
    arn: makeArn(call, "cert", newResourceId(undefined)),
    identifier: request.CertificateIdentifier,
    createdMs: Date.now(),
    kmsKeyId: request.KmsKeyId,
    ...(pem !== undefined && { pem, ...readPem(pem) }),
  };
  const secrets = wallet === undefined ? {} : { [WALLET]: Buffer.from(wallet).toString("base64") };
  if (!(await call.store.insert("certificate", record, { tags, secrets }))) {
    throw alreadyExists(`Certificate ${record.identifier} already exists.`);
  }
  return { Certificate: await shape(record, call) };
}

export async function describeCertificates(
  request: Checked<DescribeCertificatesMessage>,
  call: Call,
): Promise<DescribeCertificatesResponse> {
  const found = filteredOrNotFound(await call.store.list("certificate"), request.Filters, {
    what: "Certificates",
    names: { "certificate-arn": (one) => one.arn, "certificate-id": (one) => one.identifier },
  });
  const { items, marker } = page(found, request, { key: (one) => one.arn, limits: certificatePages });
  return { Marker: marker, Certificates: await Promise.all(items.map((one) => shape(one, call))) };
}

export async function deleteCertificate(
  request: Checked<DeleteCertificateMessage>,
  call: Call,
): Promise<DeleteCertificateResponse> {
  const arn = request.CertificateArn;
  const record = await call.store.get("certificate", arn);
  if (record === undefined) throw notFound(`Certificate not found: ${arn}.`);
  const user = (await call.store.list("endpoint")).find((endpoint) => endpoint.certificateArn === arn);
  if (user !== undefined) {
    throw invalidState(`Certificate ${arn} cannot be deleted: endpoint ${user.identifier} uses it.`);
  }
  const shown = await shape(record, call);
  await call.store.remove("certificate", arn);
  return { Certificate: shown };
}

/** What the first certificate of a PEM text says of itself; a file may hold several CAs. */
function readPem(pem: string): Partial<CertificateRecord> {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  if (/PRIVATE KEY-----/.test(pem)) {
    throw invalidCertificate("It holds a private key; import the certificate alone.");
  }
  try {
    const [first] = blocks.map((block) => new X509Certificate(block));
    if (first === undefined) throw invalidCertificate("It is not a certificate in PEM form.");
    const { modulusLength } = first.publicKey.asymmetricKeyDetails ?? {};
    return {
      validFromMs: first.validFromDate.getTime(),
      validToMs: first.validToDate.getTime(),
      signingAlgorithm: algorithmName(first),
      keyLength: modulusLength ?? curveBits(first),
    };
  } catch (error) {
    throw error instanceof Fault ? error : invalidCertificate("It cannot be read as an X.509 certificate.");
  }
}

/** Java's names, which AWS shows: SHA256withRSA for sha256WithRSAEncryption. */
function algorithmName(certificate: X509Certificate): string | undefined {
  const name = certificate.signatureAlgorithm;
  const rsa = /^(sha\d+|md5)WithRSAEncryption$/i.exec(name ?? "")?.[1];
  if (rsa !== undefined) return `${rsa.toUpperCase()}withRSA`;
  const ecdsa = /^ecdsa-with-(sha\d+)$/i.exec(name ?? "")?.[1];
  return ecdsa === undefined ? name : `${ecdsa.toUpperCase()}withECDSA`;
}

function curveBits(certificate: X509Certificate): number | undefined {
  const curve = certificate.publicKey.asymmetricKeyDetails?.namedCurve;
  const bits = curve === "prime256v1" ? "256" : /\d{3}/.exec(curve ?? "")?.[0];
  return bits === undefined ? undefined : Number(bits);
}

function invalidCertificate(reason: string): Fault {
  return new Fault("InvalidCertificateFault", `The certificate was not valid. ${reason}`);
}

async function shape(record: CertificateRecord, call: Call): Promise<Certificate> {
  const wallet = record.pem === undefined ? await call.store.secret(record.arn, WALLET) : undefined;
  return {
    CertificateIdentifier: record.identifier,
    CertificateCreationDate: new Date(record.createdMs),
    CertificatePem: record.pem,
    CertificateWallet: wallet === undefined ? undefined : Buffer.from(wallet, "base64"),
    CertificateArn: record.arn,
    CertificateOwner: call.account,
    ValidFromDate: record.validFromMs === undefined ? undefined : new Date(record.validFromMs),
    ValidToDate: record.validToMs === undefined ? undefined : new Date(record.validToMs),
    SigningAlgorithm: record.signingAlgorithm,
    KeyLength: record.keyLength,
    KmsKeyId: record.kmsKeyId,
  };
}
