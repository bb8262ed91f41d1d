import { LEAST_INSTALLATIONS, type Cohort, type DimensionStudy, type Study } from './study.ts';
import { cellsOf, CHANCE, summaryOf } from './study-text.ts';

const COLUMNS = ['', '', 'calls', 'installations', 'p5', 'bad', 'rest', 'rating', 'p', 'judgement'];
const BAR_WIDTH = 110;
const BAR_HEIGHT = 10;
const STYLE = `
:root { color-scheme: light dark; --ink: #1b2430; --paper: #fff; --line: #d8dde3; --worse: #b3261e; --better: #1a7f43; --plain: #5b6b7d; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaef; --paper: #14181d; --line: #333c46; --worse: #ff8a80; --better: #6fcf97; --plain: #9fb0c2; } }
body { margin: 0 auto; max-width: 70rem; padding: 1.5rem 1rem 4rem; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
section { overflow-x: auto; }
h1 { font-size: 1.5rem; } h2 { margin: 2rem 0 0.3rem; font-size: 1.1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0.5rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child, td:first-child, td.bar { text-align: left; }
.worse { color: var(--worse); font-weight: 600; } .better { color: var(--better); font-weight: 600; } p, .chance { color: var(--plain); }
rect.worse { fill: var(--worse); } rect.better { fill: var(--better); } rect.chance { fill: var(--plain); } line { stroke: var(--ink); }
`;

/** The study as one HTML file with tables and charts. */
export function studyHtml(study: Study): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>What makes calls bad</title>
<style>${STYLE}</style>
</head>
<body>
<h1>What makes calls bad</h1>
<p>${escaped(summaryOf(study))} ${escaped(CHANCE)} The bar is the share of bad calls, the mark in it that of all others.</p>
${study.dimensions.map(dimensionHtml).join('\n')}
</body>
</html>
`;
}

function dimensionHtml({ dimension, cohorts, cohorts_left_out: leftOut }: DimensionStudy): string {
  const note =
    leftOut === 0
      ? ''
      : `<p>${leftOut} ${leftOut === 1 ? 'group' : 'groups'} of fewer than ${LEAST_INSTALLATIONS} installations not shown.</p>`;
  const top = Math.max(
    1,
    ...cohorts.map(({ bad_percent: bad, bad_percent_rest: rest }) => Math.max(bad ?? 0, rest ?? 0)),
  );
  const body =
    cohorts.length === 0
      ? leftOut === 0
        ? '<p>Not known of any call.</p>'
        : ''
      : `<table><thead><tr>${COLUMNS.map((name) => `<th scope="col">${name}</th>`).join('')}</tr></thead><tbody>${cohorts
          .map((cohort) => cohortHtml(cohort, top))
          .join('')}</tbody></table>`;
  return `<section><h2>By ${dimension}</h2>${body}${note}</section>`;
}

function cohortHtml(cohort: Cohort, top: number): string {
  const cells = cellsOf(cohort).map((cell, index) => {
    const unit = (index === 4 || index === 5) && cell !== '-' ? ' %' : '';
    return `<td${index === 8 ? ` class="${cohort.judgement ?? 'chance'}"` : ''}>${escaped(cell)}${unit}</td>`;
  });
  cells.splice(1, 0, `<td class="bar">${bar(cohort, top)}</td>`);
  return `<tr>${cells.join('')}</tr>`;
}

function bar({ bad_percent: bad, bad_percent_rest: rest, judgement }: Cohort, top: number): string {
  if (bad === null) return '';
  const width = (share: number): string => ((share / top) * BAR_WIDTH).toFixed(1);
  const mark =
    rest === null ? '' : `<line x1="${width(rest)}" x2="${width(rest)}" y1="0" y2="${BAR_HEIGHT}" stroke-width="2"/>`;
  return `<svg width="${BAR_WIDTH + 4}" height="${BAR_HEIGHT}" role="img" aria-label="${bad} percent bad"><rect class="${judgement ?? 'chance'}" width="${width(bad)}" height="${BAR_HEIGHT}" rx="2"/>${mark}</svg>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
