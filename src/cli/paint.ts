/** Colours of a terminal, by meaning. Off: the text as it is. */
export interface Paint {
  good(text: string): string;
  bad(text: string): string;
  active(text: string): string;
  warn(text: string): string;
  faint(text: string): string;
  strong(text: string): string;
}

const asIs = (text: string): string => text;

export const plainPaint: Paint = {
  good: asIs,
  bad: asIs,
  active: asIs,
  warn: asIs,
  faint: asIs,
  strong: asIs,
};

const wrap = (on: number, off: number) => (text: string) => `\x1b[${on}m${text}\x1b[${off}m`;

export const colorPaint: Paint = {
  good: wrap(32, 39),
  bad: wrap(31, 39),
  active: wrap(36, 39),
  warn: wrap(33, 39),
  faint: wrap(2, 22),
  strong: wrap(1, 22),
};
