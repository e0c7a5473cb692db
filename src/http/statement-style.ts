/** The style sheet of a statement: one column on a small screen, A4 on paper, black on white with enough contrast. */
export const STATEMENT_STYLE = `
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #eef0f3; color: #1b1f24; font: 15px/1.45 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 210mm; margin: 0 auto; padding: 14mm; background: #fff; }
.bank { margin: 0; color: #0b4f9c; font-weight: 700; letter-spacing: .02em; }
h1 { margin: 0 0 .6em; font-size: 1.6em; line-height: 1.2; }
.note { display: inline-block; margin: 0 0 1em; padding: .3em .7em; border-left: 4px solid #b35900; background: #fff4e5; }
dl { display: grid; gap: .6em 1.5em; margin: 0 0 1.4em; }
dt { color: #57606a; font-size: .85em; }
dd { margin: 0; overflow-wrap: anywhere; }
.facts { grid-template-columns: repeat(auto-fit, minmax(15em, 1fr)); }
.summary { grid-template-columns: repeat(auto-fit, minmax(9em, 1fr)); padding: .9em 1em; border: 1px solid #d0d7de; border-radius: 6px; }
.summary dd { font-weight: 600; font-variant-numeric: tabular-nums; }
table { width: 100%; border-collapse: collapse; }
caption { padding-bottom: .5em; font-weight: 600; text-align: left; }
th, td { padding: .45em .6em; border-bottom: 1px solid #d0d7de; text-align: left; vertical-align: top; }
thead th { border-bottom: 2px solid #57606a; font-size: .85em; }
thead th { white-space: nowrap; }
thead th:nth-child(2) { width: 100%; }
thead th:nth-child(n+3), .amount { text-align: right; }
.amount { font-variant-numeric: tabular-nums; white-space: nowrap; }
td:first-child { white-space: nowrap; font-variant-numeric: tabular-nums; }
td bdi { overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
.type { display: block; color: #57606a; font-size: .85em; }
.balance th, .balance td { background: #f3f5f7; font-weight: 600; }
@media (max-width: 640px) {
  main { padding: 5mm; }
  th, td { padding: .4em .3em; font-size: .85em; }
  thead th:nth-child(2) { min-width: 9em; }
}
@page { size: A4; margin: 16mm 14mm; @bottom-right { content: counter(page) " / " counter(pages); } }
@media print {
  body { background: #fff; font-size: 9.5pt; }
  main { max-width: none; padding: 0; }
  .scroll { overflow: visible; }
  thead { display: table-header-group; }
  tr, dl > div { break-inside: avoid; }
  .note, .balance th, .balance td { print-color-adjust: exact; }
}
`;
