/** Contents of a chart with one series. Texts are not escaped: they must be the program's own. */
interface Chart {
  readonly title: string;
  /** Unit of the values, such as `ms`. */
  readonly unit: string;
}

/** A bar, or a point of a line. */
export interface Point {
  readonly label: string;
  readonly value: number;
}

interface LinePoint extends Point {
  /** From 0, left, to 1, right. */
  readonly x: number;
}

const WIDTH = 640;
const HEIGHT = 260;
const LEFT = 64;
const RIGHT = 32;
const TOP = 32;
const BOTTOM = 36;
const PLOT_WIDTH = WIDTH - LEFT - RIGHT;
const PLOT_HEIGHT = HEIGHT - TOP - BOTTOM;
const GRID_LINES = 4;

/** Limit of labels that fit beside each other. */
const LABELS_MAX = 24;
const BAR_SHARE = 0.8;

/** Renders upright bars from zero. */
export function barChart(chart: Chart, points: readonly Point[]): string {
  const top = niceTop(points);
  const step = PLOT_WIDTH / Math.max(1, points.length);
  const bars = points.map(({ value }, index) => {
    const height = (value / top) * PLOT_HEIGHT;
    const x = LEFT + index * step + (step * (1 - BAR_SHARE)) / 2;
    return `<rect class="bar" x="${fixed(x)}" y="${fixed(TOP + PLOT_HEIGHT - height)}" width="${fixed(step * BAR_SHARE)}" height="${fixed(height)}"/>`;
  });
  const placed = points.map((point, index) => ({ ...point, x: (index + 0.5) / Math.max(1, points.length) }));
  return frame(chart, top, [...bars, ...labels(placed)]);
}

/** Renders a line through points. */
export function lineChart(chart: Chart, points: readonly LinePoint[]): string {
  const top = niceTop(points);
  const path = points
    .map(({ x, value }, index) => {
      const y = TOP + PLOT_HEIGHT * (1 - value / top);
      return `${index === 0 ? 'M' : 'L'}${fixed(LEFT + x * PLOT_WIDTH)} ${fixed(y)}`;
    })
    .join('');
  return frame(chart, top, [`<path class="line" d="${path}"/>`, ...labels(points)]);
}

function frame({ title, unit }: Chart, top: number, content: readonly string[]): string {
  const grid = Array.from({ length: GRID_LINES + 1 }, (_, index) => {
    const y = fixed(TOP + PLOT_HEIGHT * (1 - index / GRID_LINES));
    const text = shortNumber((top * index) / GRID_LINES);
    return (
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/>` +
      `<text x="${LEFT - 6}" y="${y}" text-anchor="end" dominant-baseline="middle">${text}</text>`
    );
  });
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">`,
    `<text class="title" x="${LEFT}" y="18">${title} (${unit})</text>`,
    ...grid,
    ...content,
    '</svg>',
  ].join('\n');
}

function labels(points: readonly LinePoint[]): string[] {
  const every = Math.ceil(points.length / LABELS_MAX);
  return points
    .filter(({ label }, index) => label !== '' && index % every === 0)
    .map(
      ({ label, x }) =>
        `<text x="${fixed(LEFT + x * PLOT_WIDTH)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${label}</text>`,
    );
}

/** Returns the end of the axis: 1, 2 or 5 times a power of ten, not below any value. */
function niceTop(points: readonly Point[]): number {
  const largest = Math.max(0, ...points.map((point) => point.value));
  if (largest === 0) return 1;
  const power = 10 ** Math.floor(Math.log10(largest));
  return [1, 2, 5, 10].map((factor) => factor * power).find((top) => top >= largest) ?? largest;
}

function shortNumber(value: number): string {
  if (value >= 1_000_000) return `${Number((value / 1_000_000).toPrecision(3))}M`;
  if (value >= 1_000) return `${Number((value / 1_000).toPrecision(3))}k`;
  return String(Number(value.toPrecision(3)));
}

function fixed(value: number): string {
  return value.toFixed(1);
}
