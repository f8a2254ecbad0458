import assert from "node:assert/strict";
import { test } from "node:test";
import { html } from "./html.ts";
import { reportPage } from "./page.ts";
import { badge, cards, facts, folded, section, table } from "./parts.ts";

const HOSTILE = `</td><script>alert("1")</script>' onload='x`;
const SHOWN = "&lt;/td&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39; onload=&#39;x";

test("names out of a database stay text wherever they stand", () => {
  const page = reportPage({
    title: HOSTILE,
    about: HOSTILE,
    body: [
      cards([{ name: HOSTILE, value: HOSTILE, about: HOSTILE, tone: "bad" }]),
      section(
        HOSTILE,
        table([{ title: HOSTILE }], [[HOSTILE], [badge("good", HOSTILE)]]),
        facts([[HOSTILE, HOSTILE]]),
        folded(HOSTILE, html`<pre>${HOSTILE}</pre>`),
      ),
    ],
    footer: HOSTILE,
  });
  assert.equal(page.split(SHOWN).length - 1, 15);
  assert.doesNotMatch(page, /<script|onload='/);
});

test("a report is one file that loads and runs nothing", () => {
  const page = reportPage({ title: "A", about: "b", body: [], footer: "c" });
  assert.match(page, /^<!doctype html>\n<html lang="en">/);
  assert.match(page, /Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/);
  assert.doesNotMatch(page, /\bsrc=|\bhref=|url\(|@import/);
  assert.match(page, /prefers-color-scheme: dark/);
});

test("pieces are put into each other, texts are escaped, and nothing stands for what is not there", () => {
  const inner = [html`<b>${"<"}</b>`, 7, undefined];
  assert.equal(html`<p title="${'"'}">${inner}</p>`.markup, '<p title="&quot;"><b>&lt;</b>7</p>');
});

test("characters that no document may hold are shown as such", () => {
  assert.equal(html`${"a\u0000b\u001bc\ud800d\te\nf"}`.markup, "a�b�c�d\te\nf");
});

test("a row that lacks cells is filled up, and numbers stand to the right", () => {
  const { markup } = table([{ title: "A" }, { title: "B", align: "right" }], [["x"]]);
  assert.match(markup, /<td class="">x<\/td><td class="number"><\/td>/);
});

test("what is folded is open where the caller says so", () => {
  assert.match(folded("a", "b", true).markup, /^<details open><summary>a<\/summary>b<\/details>/);
  assert.match(folded("a", "b").markup, /^<details><summary>/);
});
