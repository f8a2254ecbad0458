const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;

const NUMBER = /^\s*([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?\s*$/;
const WORD = /^\s*([+-]?)(?:(nan)|(inf(?:inity)?))\s*$/i;

/** A whole number in decimal digits. */
export function intText(cell: Buffer): Buffer | undefined {
  const found = /^\s*([+-]?)0*(\d+)(?:\.0*)?\s*$/.exec(cell.toString("latin1"));
  if (found === null) return undefined;
  const [, sign, digits] = found;
  return Buffer.from(signed(sign!, digits!), "latin1");
}

/** A decimal number with so many digits behind the point, or with all but zeros at the end. */
export function decimalText(cell: Buffer, scale: number | undefined): Buffer | undefined {
  return isWritten(cell, scale) ? cell : rewritten(cell.toString("latin1"), scale);
}

/** Whether it is what it is to be, as most cells are: the digits of a column of that scale. */
function isWritten(cell: Buffer, scale: number | undefined): boolean {
  const from = cell[0] === MINUS ? 1 : 0;
  const first = cell[from];
  let dot = cell.length;
  let isZero = true;
  for (let i = from; i < cell.length; i++) {
    const byte = cell[i]!;
    if (byte === DOT && dot === cell.length) dot = i;
    else if (byte < ZERO || byte > NINE) return false;
    else if (byte !== ZERO) isZero = false;
  }
  if (dot === from || (first === ZERO && dot > from + 1) || (isZero && from === 1)) return false;
  const behind = Math.max(0, cell.length - dot - 1);
  if (scale !== undefined) return behind === scale && (scale > 0 || dot === cell.length);
  return dot === cell.length || (behind > 0 && cell[cell.length - 1] !== ZERO);
}

function rewritten(text: string, scale: number | undefined): Buffer | undefined {
  const word = WORD.exec(text);
  if (word !== null) {
    const name = word[2] === undefined ? `${word[1] === "-" ? "-" : ""}Infinity` : "NaN";
    return Buffer.from(name, "latin1");
  }
  const found = NUMBER.exec(text);
  if (found === null || `${found[2]}${found[3] ?? ""}` === "") return undefined;
  const [, sign, before = "", behind = "", exponent = "0"] = found;
  const shift = Number(exponent);
  const digits = `${"0".repeat(Math.max(0, -shift))}${before}${behind}${"0".repeat(Math.max(0, shift))}`;
  const point = Math.max(0, -shift) + before.length + shift;
  const whole = digits.slice(0, point);
  const fraction = digits.slice(point);
  return Buffer.from(scale === undefined ? trimmed(sign!, whole, fraction) : rounded(), "latin1");

  function rounded(): string {
    const places = scale ?? 0;
    const kept = `${whole}${fraction.slice(0, places).padEnd(places, "0")}`;
    const goesUp = fraction.length > places && fraction.charCodeAt(places) >= 0x35;
    const value = String(BigInt(kept === "" ? "0" : kept) + (goesUp ? 1n : 0n)).padStart(places + 1, "0");
    if (places === 0) return signed(sign!, value);
    return signed(sign!, `${value.slice(0, -places)}.${value.slice(-places)}`);
  }
}

function trimmed(sign: string, whole: string, fraction: string): string {
  const before = whole.replace(/^0+(?=\d)/, "") || "0";
  const behind = fraction.replace(/0+$/, "");
  return signed(sign, behind === "" ? before : `${before}.${behind}`);
}

function signed(sign: string, digits: string): string {
  return sign === "-" && /[1-9]/.test(digits) ? `-${digits}` : digits;
}
