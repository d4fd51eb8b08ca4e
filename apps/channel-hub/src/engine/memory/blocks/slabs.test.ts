import { describe, expect, test } from 'vitest';
import { Span } from './slab.ts';
import { Slabs } from './slabs.ts';

const KIB = 1024;
const SLAB_BYTES = 64 * KIB;

/** Spans with random lengths whose bytes are known. */
class Spans {
  readonly slabs = new Slabs(16 * 1024 * KIB);
  readonly #marks = new Map<Span, number>();
  #seed = 1;
  bytes = 0;

  get all(): readonly Span[] {
    return [...this.#marks.keys()];
  }

  random(below: number): number {
    this.#seed = (Math.imul(this.#seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    return this.#seed % below;
  }

  add(capacity: number): Span {
    const span = new Span(capacity);
    this.slabs.allocate(span);
    const mark = this.random(256);
    span.slab.bytes.fill(mark, span.at, span.at + capacity);
    this.#marks.set(span, mark);
    this.bytes += capacity;
    return span;
  }

  free(span: Span): void {
    this.#marks.delete(span);
    this.bytes -= span.capacity;
    this.slabs.free(span);
  }

  /** Expects that no span lost a byte. */
  check(): void {
    for (const [span, mark] of this.#marks) {
      const bytes = span.slab.bytes.subarray(span.at, span.at + span.capacity);
      expect(bytes.length).toBe(span.capacity);
      expect(bytes.every((byte) => byte === mark)).toBe(true);
    }
  }
}

function freeAll(spans: Spans, ended: readonly Span[]): void {
  for (const span of ended) spans.free(span);
}

test('a slab holds many spans', () => {
  const spans = new Spans();
  expect(spans.slabs.bytes).toBe(0);
  for (let count = 0; count < 64; count++) spans.add(KIB);
  expect(spans.slabs.bytes).toBe(SLAB_BYTES);
  spans.add(1);
  expect(spans.slabs.bytes).toBe(2 * SLAB_BYTES);
  spans.check();
});

test('a span that is long for a slab has a buffer of its own', () => {
  const spans = new Spans();
  const own = [SLAB_BYTES / 8 + 1, SLAB_BYTES, 10 * SLAB_BYTES].map((bytes) => spans.add(bytes));
  expect(spans.slabs.bytes).toBe(0);
  spans.check();
  freeAll(spans, own);
  expect(spans.slabs.bytes).toBe(0);
});

test('a slab without spans has no memory but for a spare one, and is used again', () => {
  const spans = new Spans();
  for (let round = 0; round < 3; round++) {
    for (let count = 0; count < 640; count++) spans.add(KIB);
    expect(spans.slabs.bytes).toBeLessThanOrEqual(11 * SLAB_BYTES);
    const slabs = new Set(spans.all.map(({ slab }) => slab));
    spans.check();
    freeAll(spans, spans.all);
    expect(spans.slabs.bytes).toBe(2 * SLAB_BYTES);
    const inUse = [...slabs].reduce((sum, { bytes }) => sum + bytes.length, 0);
    expect(inUse).toBe(2 * SLAB_BYTES);
  }
});

describe('the free part of slabs is bounded', () => {
  test.each<[string, (spans: Spans, step: number) => void]>([
    ['the oldest ends first', (spans) => freeAll(spans, spans.all.slice(0, 20))],
    ['the newest ends first', (spans) => freeAll(spans, spans.all.slice(-20))],
    [
      'any ends',
      (spans) => {
        for (let count = 0; count < 20; count++) {
          const { all } = spans;
          const span = all[spans.random(all.length)];
          if (span !== undefined) spans.free(span);
        }
      },
    ],
    [
      'one of each slab stays',
      (spans, step) => {
        if (step % 10 === 0)
          freeAll(
            spans,
            spans.all.filter((_, index) => index % 200 > 0),
          );
      },
    ],
  ])('%s', (_name, end) => {
    const spans = new Spans();
    for (let step = 0; step < 200; step++) {
      for (let count = 0; count < 25; count++) spans.add(1 + spans.random(3 * KIB));
      end(spans, step);
      // An eighth that is free, an eighth at the end of each slab, and the current and spare ones.
      expect(spans.slabs.bytes).toBeLessThan(spans.bytes * (9 / 8) * (8 / 7) + 4 * SLAB_BYTES);
    }
    spans.check();
  });
});
