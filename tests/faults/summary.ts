import { type Latencies, latencies } from './history/latencies.ts';
import type { Verdict } from './history/verdict.ts';
import type { RunReport } from './run.ts';

/** A round that was not green. */
export interface RedRound {
  readonly seed: number;
  /** `invalid`, `unknown`, or `failed` when a step could not be run. */
  readonly how: string;
  readonly what: readonly string[];
  /** File of its history, if there is one. */
  readonly file?: string;
}

type Counted =
  | 'invoked'
  | 'acknowledged'
  | 'refused'
  | 'unknown'
  | 'received'
  | 'ephemeral'
  | 'reads'
  | 'recovered'
  | 'inTwoEpochs';

const ROWS: readonly (readonly [Counted, string])[] = [
  ['invoked', 'published'],
  ['acknowledged', 'acknowledged'],
  ['refused', 'refused'],
  ['unknown', 'outcome unknown'],
  ['received', 'receipts'],
  ['ephemeral', 'ephemeral receipts'],
  ['reads', 'answers to history'],
  ['recovered', 'recovered joins'],
  ['inTwoEpochs', 'stored again by a new hub'],
];

/** Summary of all rounds of a long run. */
export class Summary {
  readonly red: RedRound[] = [];
  readonly #sums: Map<Counted, number> = new Map();
  readonly #faults: Map<string, number> = new Map();
  readonly #notRecovered: Map<string, number> = new Map();
  readonly #violations: Map<string, number> = new Map();
  readonly #latencies: Latencies[] = [];
  #rounds = 0;

  get rounds(): number {
    return this.#rounds;
  }

  add({ verdict, log }: RunReport): void {
    this.#rounds += 1;
    for (const [name] of ROWS) this.#sums.set(name, this.sum(name) + verdict.counts[name]);
    addAll(this.#faults, verdict.counts.faults);
    addAll(this.#notRecovered, verdict.counts.notRecovered);
    addAll(this.#violations, verdict.violationsByCode);
    this.#latencies.push(latencies(log.events));
  }

  sum(name: Counted): number {
    return this.#sums.get(name) ?? 0;
  }

  /** Renders a table of two columns. */
  toString(): string {
    const median = (name: 'p50' | 'p99'): number => {
      const sorted = this.#latencies.map((each) => each[name]).sort((one, other) => one - other);
      return sorted[Math.floor(sorted.length / 2)] ?? 0;
    };
    const worst = Math.max(0, ...this.#latencies.map((each) => each.worst));
    const rows: (readonly [string, string])[] = [
      ['rounds', `${this.#rounds}, of which red ${this.red.length}`],
      ...ROWS.map(([name, title]) => [title, this.sum(name).toLocaleString('en')] as const),
      ['gaps', list(this.#notRecovered)],
      ['violations', list(this.#violations)],
      ['latency, median round', `p50 ${median('p50').toFixed(1)} ms, p99 ${median('p99').toFixed(1)} ms`],
      ['latency, worst', `${worst.toFixed(0)} ms`],
      ...[...this.#faults].sort().map(([name, count]) => [`fault: ${name}`, `${count}`] as const),
    ];
    const width = Math.max(...rows.map(([title]) => title.length));
    return rows.map(([title, value]) => `  ${title.padEnd(width)}  ${value}\n`).join('');
  }
}

/** Returns why a round is red, `undefined` when it is green. */
export function redness({ valid }: Verdict, swallowed: readonly string[]): string | undefined {
  if (valid === 'unknown') return 'unknown';
  return valid && swallowed.length === 0 ? undefined : 'invalid';
}

function addAll<Key extends string>(sums: Map<string, number>, counts: ReadonlyMap<Key, number>): void {
  for (const [key, count] of counts) sums.set(key, (sums.get(key) ?? 0) + count);
}

function list(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([name, count]) => `${name} ${count}`).join(', ') || 'none';
}
