export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly isOurs: boolean;
}

const WIDTH = 720;
const NAME_WIDTH = 200;
const VALUE_WIDTH = 70;
const ROW_HEIGHT = 26;
const TOP = 56;

/** Renders horizontal bars as SVG, for light and dark pages. */
export function barChart(title: string, unit: string, bars: readonly Bar[], digits: number): string {
  const most = Math.max(...bars.map(({ value }) => value));
  const scale = (WIDTH - NAME_WIDTH - VALUE_WIDTH) / (most || 1);
  const rows = bars.map(({ name, value, isOurs }, index) => {
    const y = TOP + index * ROW_HEIGHT;
    const width = Math.max(1, value * scale).toFixed(1);
    const kind = isOurs ? 'ours' : 'bar';
    const end = (NAME_WIDTH + value * scale + 6).toFixed(1);
    return [
      `<text x="${NAME_WIDTH - 8}" y="${y + 14}" text-anchor="end"${isOurs ? ' font-weight="bold"' : ''}>${escaped(name)}</text>`,
      `<rect class="${kind}" x="${NAME_WIDTH}" y="${y}" width="${width}" height="${ROW_HEIGHT - 8}" rx="2"/>`,
      `<text x="${end}" y="${y + 14}">${value.toLocaleString('en', { maximumFractionDigits: digits })}</text>`,
    ].join('\n');
  });
  const height = TOP + bars.length * ROW_HEIGHT + 8;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(title)}">
<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.bar { fill: #9aa4af } .ours { fill: #0969da } .unit { fill: #59636e }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .bar { fill: #656d76 } .ours { fill: #4493f8 } .unit { fill: #9198a1 } }
</style>
<text x="8" y="20" font-weight="bold">${escaped(title)}</text>
<text x="8" y="40" class="unit">${escaped(unit)}</text>
${rows.join('\n')}
</svg>
`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
