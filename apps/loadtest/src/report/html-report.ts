import { remarks } from './remarks.ts';
import type { RunReport } from './result.ts';
import { resultTable } from './result-table.ts';
import { barChart, lineChart, type Point } from './svg-chart.ts';

/** Percentiles with a label; the others are too close to each other. */
const LABELLED = [0, 50, 90, 99, 99.9, 99.99];

const STYLE = `:root { color-scheme: light dark; --ink: #1d2433; --paper: #fff; --grid: #d5d9e2; --mark: #2f6fde }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8f0; --paper: #14181f; --grid: #363d4a; --mark: #6ea3ff } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 720px; margin: 2rem auto; padding: 0 1rem; color: var(--ink); background: var(--paper) }
pre { overflow-x: auto; font-size: 13px }
svg { width: 100%; height: auto; margin: 1rem 0 }
svg text { font: 11px system-ui, sans-serif; fill: var(--ink) }
svg .title { font-size: 13px; font-weight: 600 }
.grid { stroke: var(--grid) }
.bar { fill: var(--mark) }
.line { fill: none; stroke: var(--mark); stroke-width: 2 }`;

/** Renders the report of a run as one self-contained HTML page: the table and charts. */
export function htmlReport(report: RunReport): string {
  const { result } = report;
  const notes = remarks(result).map((remark) => `<li>${escapeHtml(remark)}</li>`);
  return [
    '<!doctype html>',
    '<html lang="en">',
    `<head><meta charset="utf-8"><title>groupcast-loadtest: ${result.scenario}</title><style>${STYLE}</style></head>`,
    '<body>',
    '<h1>groupcast-loadtest</h1>',
    `<pre>${escapeHtml(resultTable(result))}</pre>`,
    ...(notes.length === 0 ? [] : [`<ul>${notes.join('')}</ul>`]),
    ...charts(report),
    '<h2>Data</h2>',
    `<pre>${escapeHtml(JSON.stringify(result, null, 2))}</pre>`,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

function charts({ result, latencyCurve, generatorShares }: RunReport): string[] {
  const found: string[] = [];
  if (latencyCurve.length > 0) {
    const points = latencyCurve.map(([percentile, ms]) => ({
      label: LABELLED.includes(percentile) ? `p${percentile}` : '',
      value: ms,
      x: nines(percentile) / nines(Math.max(...latencyCurve.map(([last]) => last))),
    }));
    found.push(lineChart({ title: 'Latency by percentile', unit: 'ms' }, points));
  }
  if (result.perSecond.length > 0) {
    const points = result.perSecond.map((value, second) => ({ label: `${second + 1} s`, value }));
    found.push(barChart({ title: 'Deliveries per second', unit: 'deliveries' }, points));
  }
  found.push(barChart({ title: 'CPU', unit: 'cores' }, cpuPoints(result, generatorShares)));
  return found;
}

function cpuPoints(
  { server, seconds, messages, connect }: RunReport['result'],
  shares: readonly number[],
): Point[] {
  const points = shares.map((value, index) => ({ label: `generator ${index}`, value }));
  // Without messages, the server's cost is that of opening connections.
  const measured = messages === 0 ? connect.seconds : seconds;
  if (server === null || measured === 0) return points;
  return [...points, { label: 'server', value: server.cpuSeconds / measured }];
}

/** Returns the number of nines of a percentile: 1 for 90, 2 for 99. Spreads the axis at its end. */
function nines(percentile: number): number {
  return -Math.log10(1 - percentile / 100);
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
