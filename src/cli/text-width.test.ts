import assert from "node:assert/strict";
import { test } from "node:test";
import { displayWidth, fit, printable, truncate, truncateMiddle } from "./text-width.ts";

test("control characters, line separators and text direction marks become visible escapes", () => {
  assert.equal(printable("a\nb\tc\rd\x1b[31m"), "a\\nb\\tc\\rd\\e[31m");
  assert.equal(printable("\x00\x7f\x9b"), "\\x00\\x7f\\x9b");
  assert.equal(printable("\u2028\u202e\u200b\ufeff"), "\\u2028\\u202e\\u200b\\ufeff");
  assert.equal(printable("\ud800x"), "\\ud800x");
});

test("ordinary names of any script stay as they are", () => {
  for (const name of ["orders", 'Odd "name" \\ \'', "Größe", "漢字", "🛒", "naïve e\u0301"]) {
    assert.equal(printable(name), name);
  }
});

test("wide characters take two columns and combining ones none", () => {
  assert.equal(displayWidth("abc"), 3);
  assert.equal(displayWidth("漢字"), 4);
  assert.equal(displayWidth("한글"), 4);
  assert.equal(displayWidth("🛒x"), 3);
  assert.equal(displayWidth("👩‍👩‍👧"), 2);
  assert.equal(displayWidth("e\u0301"), 1);
  assert.equal(displayWidth("Größe→…━"), 8);
});

test("text is cut to any width without splitting a wide character", () => {
  for (let width = 0; width < 12; width++) {
    for (const text of ["漢字漢字漢字", "abcdefghijklmnop", "🛒🛒🛒🛒", "x"]) {
      assert.equal(displayWidth(fit(text, width)), width, `${text} in ${width}`);
      assert.ok(displayWidth(truncate(text, width)) <= width);
      assert.ok(displayWidth(truncateMiddle(text, width)) <= width);
    }
  }
});

test("a name that is too long keeps its beginning and its end", () => {
  assert.equal(truncateMiddle("shop.order_lines_archive_2024", 15), "shop.or…ve_2024");
  assert.equal(truncateMiddle("short", 15), "short");
});

test("numbers are aligned to the right", () => {
  assert.equal(fit("12", 5, "right"), "   12");
  assert.equal(fit("漢", 5, "right"), "   漢");
});
