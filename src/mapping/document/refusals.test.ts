import assert from "node:assert/strict";
import { test } from "node:test";
import { mappingRefusals } from "../../../test/support/mapping-refusals.ts";
import { MigrationError } from "../../core/error.ts";
import { readDocument } from "./read-document.ts";

for (const { because, rules, code, subject, says } of mappingRefusals) {
  test(`a document is refused when ${because}`, () => {
    assert.throws(
      () => readDocument(JSON.stringify({ rules })),
      (error) => {
        assert.ok(error instanceof MigrationError);
        assert.deepEqual(
          { code: error.code, subject: error.subject },
          { code: code ?? "mapping.malformed", subject },
        );
        assert.match(error.message, says);
        return true;
      },
    );
  });
}
