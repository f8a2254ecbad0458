import assert from "node:assert/strict";
import { test } from "node:test";
import { tableDetails } from "./table-details.ts";

const whole = {
  error: undefined,
  fullLoadErrorRows: 0,
  refused: 0,
  conflicts: 0,
  cutValues: 0,
  id: { schema: "s", name: "t" },
};

test("there is nothing to know of a table that has all rows and changes", () => {
  assert.equal(tableDetails(whole), undefined);
});

test("what is left out of a table is told, and first why it was set aside", () => {
  const remedy =
    "Look up the errors in the table of exceptions and mend the cause on the target; then `tideway task retry-errors` (or `tideway migrate --retry-errors`) brings the rows.";
  assert.equal(
    tableDetails({ ...whole, fullLoadErrorRows: 1, refused: 2 }),
    `apply.rows_left_out: The target has refused 1 row of the full load and 2 changes, which are left out. ${remedy}`,
  );
  assert.equal(
    tableDetails({ ...whole, refused: 1 }),
    `apply.rows_left_out: The target has refused 1 change, which is left out. ${remedy}`,
  );
  assert.match(
    tableDetails({ ...whole, conflicts: 3 })!,
    /^3 changes found no row on the target, or one in the way: /,
  );
  assert.match(
    tableDetails({ ...whole, refused: 1, conflicts: 1 })!,
    /^apply\.rows_left_out: .+ 1 change found no row /,
  );
  const error = { code: "load.rejected", message: "No.", remedy: "Mend it." } as const;
  assert.equal(tableDetails({ ...whole, error, refused: 1 }), "load.rejected: No. Mend it.");
});

test("what the validation says follows what is known of the rows", () => {
  const validation = {
    state: "Mismatched records",
    pending: 0,
    failed: 1,
    suspended: 0,
    details: "V.",
  } as const;
  assert.equal(tableDetails({ ...whole, validation }), "V.");
  const error = { code: "load.rejected", message: "No.", remedy: "Mend it." } as const;
  assert.equal(tableDetails({ ...whole, error, validation }), "load.rejected: No. Mend it. V.");
  assert.match(
    tableDetails({ ...whole, refused: 1, validation })!,
    /^apply\.rows_left_out: The target has refused 1 change.+ brings the rows\. V\.$/,
  );
});

test("what was cut off is told, too", () => {
  assert.match(
    tableDetails({ ...whole, cutValues: 2 })!,
    /^mapping\.value_cut: 2 values of the table were longer than large objects may be, and came cut off\. /,
  );
});
