import assert from "node:assert/strict";
import { test } from "node:test";
import { findOperation } from "./operations.ts";
import { checkEnum, checkRequest, toWire } from "./shapes.ts";

function check(operation: string, body: unknown): unknown {
  const found = findOperation(operation);
  assert.ok(found, operation);
  return checkRequest(found.input, body);
}

test("a request comes back with its members, and unknown ones are left out", () => {
  const request = {
    ReplicationInstanceIdentifier: "i",
    ReplicationInstanceClass: "dms.t3.micro",
    AllocatedStorage: 20,
    MultiAZ: false,
    VpcSecurityGroupIds: ["sg-1"],
    Tags: [{ Key: "a", Value: "", Unknown: 1 }],
  };
  const checked = check("CreateReplicationInstance", { ...request, Unknown: { deep: true } });
  assert.deepEqual(checked, { ...request, Tags: [{ Key: "a", Value: "" }] });
});

test("times come as dates and blobs as bytes; null counts as not given", () => {
  assert.deepEqual(check("DescribeEvents", { StartTime: 1590524772.505, EndTime: null }), {
    StartTime: new Date(1590524772505),
  });
  const { CertificateWallet } = check("ImportCertificate", {
    CertificateIdentifier: "c",
    CertificateWallet: "AAEC",
  }) as { CertificateWallet: Uint8Array };
  assert.deepEqual([...CertificateWallet], [0, 1, 2]);
});

test("a wrong JSON type is a SerializationException that says where", () => {
  const wrong: readonly [string, unknown, RegExp][] = [
    [
      "DescribeEndpoints",
      { MaxRecords: "20" },
      /STRING_VALUE can not be converted to an Integer \(at 'maxRecords'\)/,
    ],
    ["DescribeEndpoints", { MaxRecords: 20.5 }, /DECIMAL_VALUE can not be converted to an Integer/],
    ["DescribeEndpoints", { Marker: 5 }, /NUMBER_VALUE can not be converted to a String/],
    ["DescribeEndpoints", { Marker: {} }, /Start of structure or map found where not expected/],
    ["DescribeEndpoints", { Marker: [] }, /Start of list found where not expected/],
    ["DescribeEndpoints", { Filters: {} }, /Expected list or null/],
    [
      "DescribeEndpoints",
      { Filters: ["x"] },
      /Expected start of structure or null \(at 'filters.1.member'\)/,
    ],
    [
      "DescribeEndpoints",
      { Filters: [{ Name: "a", Values: [true] }] },
      /TRUE_VALUE can not be converted to a String/,
    ],
    ["DescribeEndpoints", [], /Start of list found/],
    ["DescribeEndpoints", "text", /Expected start of structure/],
    ["DescribeEvents", { StartTime: "2020-01-01" }, /milliseconds since epoch/],
    ["DescribeEvents", { StartTime: 1e300 }, /milliseconds since epoch/],
    [
      "DescribeReplicationTasks",
      { WithoutSettings: "false" },
      /STRING_VALUE can not be converted to a Boolean/,
    ],
    ["ImportCertificate", { CertificateIdentifier: "c", CertificateWallet: "%%" }, /converted to a Blob/],
  ];
  for (const [operation, body, message] of wrong) {
    assert.throws(() => check(operation, body), { code: "SerializationException", message });
  }
});

test("all missing members are named in one ValidationException", () => {
  assert.throws(() => check("CreateEndpoint", { EndpointIdentifier: "e", Password: "hidden" }), {
    code: "ValidationException",
    message:
      "2 validation errors detected: Value null at 'endpointType' failed to satisfy constraint: Member must not be null; Value null at 'engineName' failed to satisfy constraint: Member must not be null",
  });
  assert.throws(() => check("DescribeEndpoints", { Filters: [{ Name: "x" }, null] }), {
    code: "ValidationException",
    message: /'filters\.1\.member\.values'.+'filters\.2\.member'/,
  });
});

test("an own __proto__ member of a request does nothing", () => {
  const checked = check("DescribeEndpoints", JSON.parse('{"__proto__":{"Marker":"x"},"MaxRecords":20}'));
  assert.deepEqual(checked, { MaxRecords: 20 });
  assert.equal((checked as { Marker?: string }).Marker, undefined);
  assert.equal(findOperation("__proto__"), undefined);
  assert.equal(findOperation("constructor"), undefined);
});

test("a value outside an enum is refused with the whole set", () => {
  assert.throws(() => checkEnum("MigrationType", "full", ["cdc", "full-load"]), {
    code: "ValidationException",
    message:
      "1 validation error detected: Value 'full' at 'migrationType' failed to satisfy constraint: Member must satisfy enum value set: [cdc, full-load]",
  });
  checkEnum("MigrationType", undefined, []);
});

test("a response has times in seconds, bytes in base64, and nothing that is unset", () => {
  const response = {
    At: new Date(1590524772505),
    Bytes: Uint8Array.of(0, 1, 2),
    List: [{ A: undefined }],
    B: null,
  };
  assert.deepEqual(toWire(response), { At: 1590524772.505, Bytes: "AAEC", List: [{}] });
});

test("operations of AWS's model are known, built or not; others are not", () => {
  assert.ok(findOperation("CreateEndpoint")?.handle);
  const notBuilt = findOperation("CreateDataMigration");
  assert.ok(notBuilt);
  assert.equal(notBuilt.handle, undefined);
  assert.equal(findOperation("Endpoint"), undefined);
  assert.equal(findOperation("MakeCoffee"), undefined);
});
