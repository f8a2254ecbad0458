const BEFORE_CHRIST = " BC";
const YEAR = /^\d+/;

/** Orders dates and timestamps as they are compared (core/row-digest.ts) by time, as sort() wants it. */
export function compareMoments(a: string, b: string): number {
  const [eraOfA, eraOfB] = [era(a), era(b)];
  if (eraOfA !== eraOfB) return eraOfA - eraOfB;
  if (a === b || !YEAR.test(a)) return 0;
  const years = Number(YEAR.exec(a)![0]) - Number(YEAR.exec(b)![0]);
  // Years before the first are counted backwards, and the days within them forwards.
  if (years !== 0) return a.endsWith(BEFORE_CHRIST) ? -years : years;
  const [restOfA, restOfB] = [a, b].map((text) => text.replace(YEAR, "").replace(BEFORE_CHRIST, ""));
  return restOfA! < restOfB! ? -1 : restOfA! > restOfB! ? 1 : 0;
}

/** Of the four that follow each other. */
function era(text: string): number {
  if (text === "-infinity") return 0;
  if (text === "infinity") return 3;
  return text.endsWith(BEFORE_CHRIST) ? 1 : 2;
}
