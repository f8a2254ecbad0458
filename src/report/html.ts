/** A piece of a document whose markup is meant as such; made by `html` alone, so that no other text gets into one unescaped. */
export class Html {
  readonly markup: string;

  private constructor(markup: string) {
    this.markup = markup;
  }

  /** What a template's own text says is markup; what is put into it is text, unless it is a piece made the same way. */
  static of(template: TemplateStringsArray, values: readonly Content[]): Html {
    return new Html(
      template.map((text, i) => (i === 0 ? text : `${markupOf(values[i - 1])}${text}`)).join(""),
    );
  }
}

/** What may stand in a document: text, which is escaped, pieces of it, and several of them in a row. */
export type Content = string | number | Html | undefined | readonly Content[];

export function html(template: TemplateStringsArray, ...values: readonly Content[]): Html {
  return Html.of(template, values);
}

function markupOf(content: Content): string {
  if (content === undefined) return "";
  if (content instanceof Html) return content.markup;
  if (typeof content === "string" || typeof content === "number") return escaped(String(content));
  return content.map(markupOf).join("");
}

/** For text and for values of attributes in double quotes. Characters that no document may hold are shown as such. */
function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;")
    .toWellFormed()
    .replaceAll(/[^\P{Cc}\n\t]/gu, "�");
}
