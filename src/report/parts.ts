import { type Content, type Html, html } from "./html.ts";

/** What a number or a word means to the reader; the style sheet gives it a colour. */
export type Tone = "good" | "warn" | "bad" | "calm";

export function badge(tone: Tone, text: string): Html {
  return html`<span class="badge ${tone}">${text}</span>`;
}

export interface Card {
  readonly name: string;
  readonly value: Content;
  /** A few words beneath the value. */
  readonly about?: Content;
  readonly tone?: Tone;
}

/** The figures that a report begins with, beside each other. */
export function cards(list: readonly Card[]): Html {
  return html`<div class="cards">${list.map(
    ({ name, value, about, tone }) => html`<div class="card ${tone}"><div class="name">${name}</div>
<div class="value">${value}</div>${about === undefined ? undefined : html`<div class="about">${about}</div>`}</div>
`,
  )}</div>
`;
}

export interface ReportColumn {
  readonly title: string;
  readonly align?: "left" | "right";
}

/** What stands in the table's place when it has no rows, is the caller's to say. */
export function table(columns: readonly ReportColumn[], rows: readonly (readonly Content[])[]): Html {
  const classOf = (column: ReportColumn | undefined): string => (column?.align === "right" ? "number" : "");
  return html`<div class="wide"><table>
<thead><tr>${columns.map((column) => html`<th class="${classOf(column)}">${column.title}</th>`)}</tr></thead>
<tbody>
${rows.map(
  (row) => html`<tr>${columns.map((column, i) => html`<td class="${classOf(column)}">${row[i]}</td>`)}</tr>
`,
)}</tbody></table></div>
`;
}

/** Names with their values under each other. */
export function facts(list: readonly (readonly [string, Content])[]): Html {
  return html`<dl>${list.map(
    ([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>
`,
  )}</dl>
`;
}

/** Something that the reader opens; `isOpen` when most readers would. */
export function folded(summary: Content, body: Content, isOpen = false): Html {
  const head = html`<summary>${summary}</summary>`;
  return isOpen
    ? html`<details open>${head}${body}</details>
`
    : html`<details>${head}${body}</details>
`;
}

export function section(title: string, ...body: readonly Content[]): Html {
  return html`<section><h2>${title}</h2>
${body}</section>
`;
}
