import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { runModule } from "../support/run-program.ts";

const demo = join(import.meta.dirname, "..", "..", "demo", "main.ts");

for (const source of ["postgres", "mariadb"]) {
  test(`the demo moves rows while an application writes, and finds both sides equal: ${source}`, async () => {
    const { code, output } = await runModule(demo, [
      ...["--source", source],
      ...["--rows", "20000", "--seconds", "2"],
    ]);
    assert.equal(code, 0, output);
    assert.match(output, /^Source and target are equal\.$/m);
    assert.match(output, /^\s*application\s+[1-9][\d,.]* transactions committed meanwhile$/m);
    assert.match(output, /^\s*changes applied\s+[1-9]/m);
  });
}

test("the demo tells what it takes when it is asked for something else", async () => {
  for (const wrong of [["--source", "oracle"], ["--rows", "1"], ["--seconds", "0"], ["--help"]]) {
    const { code, output } = await runModule(demo, wrong);
    assert.equal(code, 0);
    assert.match(output, /--seconds <number>/);
  }
});
