/**
 * How every report looks: by the reader's choice light or dark, on paper, and on a narrow screen. A tone is a class of its own
 * (`good`, `warn`, `bad`, `calm`), so that a report never names a colour.
 */
export const style = `
:root { color-scheme: light dark;
  --ground: #f6f7f9; --sheet: #ffffff; --ink: #1b2230; --faint: #5d6779; --line: #dfe3ea; --code: #f0f2f6;
  --good: #16794a; --good-ground: #e4f5ec; --warn: #8a5a00; --warn-ground: #fdf1d8;
  --bad: #b3261e; --bad-ground: #fdeaea; --calm: #2b5fb4; --calm-ground: #e7effc; }
@media (prefers-color-scheme: dark) { :root {
  --ground: #12161d; --sheet: #1a2029; --ink: #e7ebf2; --faint: #9aa5b8; --line: #303947; --code: #242c38;
  --good: #6fd3a1; --good-ground: #15352a; --warn: #f0c46b; --warn-ground: #3a2f14;
  --bad: #ff9a92; --bad-ground: #43201f; --calm: #93b9f7; --calm-ground: #1d2e4b; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 32px 20px 48px; }
header { margin-bottom: 24px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 0 0 12px; }
h3 { font-size: 15px; margin: 18px 0 6px; }
p { margin: 0 0 10px; max-width: 78ch; }
a { color: var(--calm); }
.faint { color: var(--faint); }
section { background: var(--sheet); border: 1px solid var(--line); border-radius: 10px; padding: 20px 22px; margin-bottom: 18px; }
section > :last-child { margin-bottom: 0; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(170px, 1fr)); gap: 12px; margin-bottom: 18px; }
.card { background: var(--sheet); border: 1px solid var(--line); border-top: 3px solid var(--line); border-radius: 10px; padding: 14px 16px; }
.card .value { font-size: 24px; font-weight: 650; line-height: 1.2; overflow-wrap: anywhere; }
.card .name, .card .about { color: var(--faint); font-size: 13px; }
.card.good { border-top-color: var(--good); } .card.warn { border-top-color: var(--warn); }
.card.bad { border-top-color: var(--bad); } .card.calm { border-top-color: var(--calm); }
.badge { display: inline-block; border-radius: 999px; padding: 1px 10px; font-size: 12.5px; font-weight: 600; white-space: nowrap; }
.badge.good { color: var(--good); background: var(--good-ground); } .badge.warn { color: var(--warn); background: var(--warn-ground); }
.badge.bad { color: var(--bad); background: var(--bad-ground); } .badge.calm { color: var(--calm); background: var(--calm-ground); }
.wide { overflow-x: auto; margin-bottom: 12px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th { text-align: left; color: var(--faint); font-weight: 600; font-size: 12.5px; white-space: nowrap; }
th, td { padding: 6px 12px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: break-word; }
tbody tr:last-child td { border-bottom: 0; }
th.number, td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; margin: 0 0 12px; }
dt { color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; }
code, pre { font: 13px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; background: var(--code); border-radius: 6px; }
code { padding: 1px 5px; overflow-wrap: anywhere; }
pre { padding: 10px 12px; margin: 0 0 10px; white-space: pre-wrap; overflow-wrap: anywhere; }
details { border-top: 1px solid var(--line); padding: 10px 0; }
summary { cursor: pointer; overflow-wrap: anywhere; }
details[open] > summary { margin-bottom: 8px; }
footer { color: var(--faint); font-size: 13px; }
@media (max-width: 600px) { dl { grid-template-columns: 1fr; } dd { margin-bottom: 6px; } }
@media print { :root { color-scheme: light; } body { background: none; } section, .card { break-inside: avoid; } }
`;
