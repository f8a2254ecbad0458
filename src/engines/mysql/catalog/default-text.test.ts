import assert from "node:assert/strict";
import { test } from "node:test";
import { readFacts } from "../connection/server-facts.ts";
import { columnDefault, unescaped, updateExpression } from "./default-text.ts";
import { logicalType } from "./type-map.ts";
import { parseTypeText, withoutRemarks } from "./type-text.ts";

// What MySQL 8 says is as its manual shows it: no such server runs in these tests.

const mysql8 = readFacts([{ Variable_name: "version", Value: "8.0.36" }]);
const mariadb = readFacts([{ Variable_name: "version", Value: "10.11.19-MariaDB-log" }]);
const CHOICES = { booleans: false, timesOfDay: false };

interface Case {
  readonly type: string;
  readonly shown: string | null;
  readonly extra?: string;
}

function native({ type, shown, extra = "" }: Case, facts = mysql8): string | undefined {
  const logical = logicalType(parseTypeText(type), CHOICES);
  const value = columnDefault({ defaultText: shown, extra }, logical, facts);
  return value.kind === "none" ? undefined : value.native;
}

test("MySQL 8's expressions stand in parentheses, without the view's backslashes", () => {
  const extra = "DEFAULT_GENERATED";
  assert.equal(native({ type: "char(36)", shown: "uuid()", extra }), "(uuid())");
  assert.equal(
    native({ type: "varchar(9)", shown: "concat(_utf8mb4\\'it\\\\\\'s\\',`a`)", extra }),
    "(concat(_utf8mb4'it\\'s',`a`))",
  );
  assert.equal(
    native({ type: "timestamp(6)", shown: "CURRENT_TIMESTAMP(6)", extra }),
    "CURRENT_TIMESTAMP(6)",
  );
  assert.equal(unescaped("`a` = _utf8mb4\\'x\\'"), "`a` = _utf8mb4'x'");
});

test("MySQL's constants are bare: a string may look like anything", () => {
  assert.equal(native({ type: "varchar(9)", shown: "NULL" }), "'NULL'");
  assert.equal(native({ type: "varchar(9)", shown: "1" }), "'1'");
  assert.equal(native({ type: "varchar(30)", shown: "CURRENT_TIMESTAMP" }), "'CURRENT_TIMESTAMP'");
  assert.equal(native({ type: "int", shown: "1" }), "1");
  assert.equal(native({ type: "binary(2)", shown: "0x6100" }), "0x6100");
  assert.equal(native({ type: "bit(3)", shown: "b'101'" }), "b'101'");
  assert.equal(native({ type: "date", shown: "2020-01-02" }), "'2020-01-02'");
  assert.equal(native({ type: "int", shown: null }), undefined);
});

test("MariaDB's are what SQL writes", () => {
  assert.equal(native({ type: "varchar(9)", shown: "'it''s'" }, mariadb), "'it''s'");
  assert.equal(native({ type: "varchar(9)", shown: "NULL" }, mariadb), undefined);
  assert.equal(native({ type: "varchar(9)", shown: "'NULL'" }, mariadb), "'NULL'");
  const of = (shown: string): unknown =>
    columnDefault({ defaultText: shown, extra: "" }, { kind: "string", fixed: false }, mariadb);
  assert.deepEqual(of("'a\\nb''c\\\\'"), { kind: "constant", native: "'a\\nb''c\\\\'", text: "a\nb'c\\" });
  assert.deepEqual(of("'a' 'b'"), { kind: "expression", native: "'a' 'b'" });
  assert.deepEqual(of("concat('a','b')"), { kind: "expression", native: "concat('a','b')" });
});

test("what an update sets is told apart from the rest of a column's remarks", () => {
  assert.equal(updateExpression("DEFAULT_GENERATED on update CURRENT_TIMESTAMP(3)"), "CURRENT_TIMESTAMP(3)");
  assert.equal(updateExpression("on update current_timestamp(), INVISIBLE"), "current_timestamp()");
  assert.equal(updateExpression("auto_increment"), undefined);
});

test("types of other versions are read", () => {
  const of = (type: string): unknown => logicalType(parseTypeText(type), CHOICES);
  assert.deepEqual(of("int unsigned"), { kind: "int", bits: 32, unsigned: true });
  assert.deepEqual(of("double unsigned"), { kind: "float", bits: 64 });
  const shape = (is: unknown): unknown => ({ kind: "bytes", fixed: false, shape: is });
  assert.deepEqual(of("geomcollection"), shape({ of: "geometrycollection" }));
  assert.deepEqual(of("point srid 4326"), shape({ of: "point", reference: 4326 }));
  assert.deepEqual(of("vector(3)"), { kind: "bytes", fixed: false });
  assert.deepEqual(of("inet6"), { kind: "string", maxChars: 39, fixed: false });
  assert.deepEqual(of("xmltype"), { kind: "opaque" });
  assert.deepEqual(of("enum('unsigned','')"), { kind: "enum", values: ["unsigned", ""] });
  assert.deepEqual(logicalType(parseTypeText("tinyint(1) unsigned"), { booleans: true, timesOfDay: true }), {
    kind: "int",
    bits: 8,
    unsigned: true,
  });
  assert.equal(withoutRemarks("varchar(10) /*M!100301 COMPRESSED*/"), "varchar(10)");
  assert.equal(withoutRemarks("enum('/*a*/')"), "enum('/*a*/')");
});
