import { type Content, type Html, html } from "./html.ts";
import { style } from "./style.ts";

export interface ReportPage {
  readonly title: string;
  /** A line beneath the title. */
  readonly about: Content;
  /** Cards and sections, in their order. */
  readonly body: readonly Content[];
  /** What the report was made with, and when. */
  readonly footer: Content;
}

/**
 * One file that needs no other: it loads nothing, runs nothing, and may be sent by mail. The policy in its head keeps it so
 * even where a name out of a database were taken for markup.
 */
export function reportPage({ title, about, body, footer }: ReportPage): string {
  const page: Html = html`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body><main>
<header><h1>${title}</h1><div class="faint">${about}</div></header>
${body}<footer>${footer}</footer>
</main></body>
</html>
`;
  return `<!doctype html>\n${page.markup}`;
}

/** A style sheet is no text of a document, so nothing in it is escaped. */
const STYLE = html(Object.assign([style], { raw: [style] }));
