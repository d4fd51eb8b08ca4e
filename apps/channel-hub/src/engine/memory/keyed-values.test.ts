import { limits, native } from '@groupcast/protocol';
import { describe, expect, test } from 'vitest';
import { publicationOf, textOf } from '../../../testing/engine-harness.ts';
import type { KeyedLimits } from './keyed-limits.ts';
import { KeyedValues, VALUE_BYTES } from './keyed-values.ts';

/** A table with a clock of its own, and offsets that rise. */
class Table {
  readonly values: KeyedValues;
  nowMs = 1_000.5;
  #offset = 0;

  constructor({ valuesMax = 1_000_000, bytesMax = 1e9 }: Partial<KeyedLimits> = {}) {
    this.values = new KeyedValues({ valuesMax, bytesMax });
  }

  /** Publishes a value, or a removal with ''. Returns the DELIVER, or the code of the rejection. */
  set(channel: string, key: string, text: string, lifeMs = 0): Uint8Array | string {
    const keyed = { key, lifeMs };
    const publication = { ...publicationOf(channel, text), keyed };
    const frame = native.encodePublish(publication);
    const fault = this.values.faultOf(publication, keyed, frame.length, this.nowMs);
    if (fault !== undefined) return fault.code;
    native.turnIntoDeliver(frame, ++this.#offset, 5);
    this.values.apply(publication, keyed, frame, this.nowMs);
    return frame;
  }

  /** Reads all pages of a channel. Returns `key=text` of each value, and its remaining life. */
  read(channel: string): string[] {
    const found: string[] = [];
    for (let afterKey = ''; ; ) {
      const { frames, more } = this.values.page(channel, afterKey, this.nowMs);
      for (const frame of frames) {
        const { keyed } = native.decodePublication(frame);
        afterKey = keyed?.key ?? '';
        const life = keyed?.lifeMs === 0 ? '' : ` ${keyed?.lifeMs} ms`;
        found.push(`${afterKey}=${textOf(frame)}${life}`);
      }
      if (!more) return found;
    }
  }
}

describe('values', () => {
  test('are the newest of each key, in the order of the keys, of one channel only', () => {
    const table = new Table();
    for (const [channel, key, text] of [
      ['a', 'z', '1'],
      ['a', 'y', '2'],
      ['ab', 'y', '3'],
      ['a', 'z', '4'],
      // The separator of channel and key may be in a key.
      ['a', '\n', '5'],
      ['a', '__proto__', '6'],
      ['a', 'y', ''],
    ] as const) {
      table.set(channel, key, text);
    }
    expect(table.read('a')).toEqual(['\n=5', '__proto__=6', 'z=4']);
    expect(table.read('ab')).toEqual(['y=3']);
    expect(table.read('b')).toEqual([]);
  });

  test('are the DELIVER frames, which do not change when their buffer is reused', () => {
    const table = new Table();
    const read = Buffer.alloc(1_000);
    const keyed = { key: 'k', lifeMs: 0 };
    const publication = { ...publicationOf('c', 'text'), keyed, meta: '{"uid":"ann"}' };
    const frame = native.encodePublish(publication);
    read.set(frame, 100);
    const slice = read.subarray(100, 100 + frame.length);
    native.turnIntoDeliver(slice, 7, 8);
    table.values.apply(publication, keyed, slice, table.nowMs);
    read.fill(0);
    const [kept] = table.values.page('c', '', table.nowMs).frames;
    expect([...(kept ?? [])]).toEqual([...native.encodeDeliver({ ...publication, number: 7, timeMs: 8 })]);
  });

  test('leave nothing behind when they are removed or expired', () => {
    const table = new Table();
    table.set('a', 'k', 'x');
    table.set('b', 'k', 'x', 10);
    table.set('b', 'l', 'x', 10);
    table.set('b', 'l', 'y');
    table.set('c', 'unknown', '');
    expect(table.values.stats()).toMatchObject({ keys: 3, expired: 0 });
    table.set('a', 'k', '');
    table.set('b', 'l', '');
    table.nowMs += 10;
    expect(table.values.sweep(table.nowMs)).toBe(false);
    expect(table.values.stats()).toEqual({ keys: 0, bytes: 0, rejected: 0, expired: 1 });
  });
});

describe('the life of a value', () => {
  test('is what remains of it, rounded up, and at least 1', () => {
    const table = new Table();
    table.set('c', 'a', 'x', 100);
    table.set('c', 'b', 'x');
    table.set('c', 'd', 'x', Number.MAX_SAFE_INTEGER);
    table.nowMs += 40.75;
    expect(table.read('c')).toEqual([
      'a=x 60 ms',
      'b=x',
      expect.stringMatching(/^d=x 90071992547409\d\d ms$/),
    ]);
    table.nowMs += 59;
    expect(table.read('c')[0]).toBe('a=x 1 ms');
    table.nowMs += 1;
    expect(table.read('c')).toHaveLength(2);
  });

  test('begins again with each publication of the key', () => {
    const table = new Table();
    table.set('c', 'a', 'x', 100);
    table.set('c', 'b', 'x', 100);
    table.nowMs += 50;
    table.set('c', 'a', 'y', 100);
    table.set('c', 'b', 'y');
    table.nowMs += 60;
    expect(table.read('c')).toEqual(['a=y 40 ms', 'b=y']);
  });

  test('in frames of history: what remains of it, 1 if it is over, unchanged if it was replaced', () => {
    const table = new Table();
    const frames = [
      table.set('c', 'replaced', '1', 100),
      table.set('c', 'expired', '2', 10),
      table.set('c', 'removed', '3', 100),
      table.set('c', 'kept', '4', 100),
      table.set('c', 'endless', '5'),
      table.set('c', 'replaced', '6', 200),
      table.set('c', 'removed', ''),
    ] as Uint8Array[];
    table.nowMs += 30;
    table.values.sweep(table.nowMs);
    const lives = table.values
      .withRemainingLives(frames, table.nowMs)
      .map((frame) => native.decodePublication(frame).keyed?.lifeMs);
    expect(lives).toEqual([100, 1, 1, 70, 0, 170, 0]);
    // The frames of history themselves are read-only.
    expect(native.decodePublication(frames[3] ?? new Uint8Array()).keyed?.lifeMs).toBe(100);
  });
});

describe('a page', () => {
  test('has at most 64 KiB, or a single longer value; the next one continues behind its last key', () => {
    const table = new Table();
    const texts = new Map<string, string>();
    for (let index = 0; index < 60; index++) {
      const text = 'x'.repeat(index === 30 ? 100_000 : 3_000);
      const key = `key ${(index * 7) % 60}`;
      texts.set(key, text);
      table.set('c', key, text);
    }
    const pages: number[] = [];
    const found: string[] = [];
    for (let afterKey = '', more = true; more; ) {
      const page = table.values.page('c', afterKey, table.nowMs);
      const bytes = page.frames.reduce((sum, frame) => sum + frame.length, 0);
      expect(bytes <= limits.HISTORY_PAGE_BYTES_MAX || page.frames.length === 1).toBe(true);
      pages.push(page.frames.length);
      for (const frame of page.frames) {
        afterKey = native.decodePublication(frame).keyed?.key ?? '';
        found.push(afterKey);
        expect(textOf(frame)).toBe(texts.get(afterKey));
      }
      more = page.more;
      // The key where it continues may be gone meanwhile.
      table.set('c', afterKey, '');
    }
    expect(found).toEqual([...texts.keys()].sort());
    expect(pages.length).toBeGreaterThan(3);
    expect(pages).toContain(1);
  });

  test('of a channel without values is empty, and the last one', () => {
    const table = new Table();
    table.set('c', 'k', 'x');
    expect(table.values.page('b', '', 0)).toEqual({ frames: [], more: false });
    expect(table.values.page('c', 'k', 0)).toEqual({ frames: [], more: false });
  });
});

describe('the limits', () => {
  test('reject a new key above valuesMax, and accept changes and removals', () => {
    const table = new Table({ valuesMax: 2 });
    table.set('a', 'k', '1');
    table.set('b', 'k', '1');
    expect(table.set('c', 'k', '1')).toBe('keys_full');
    expect(table.set('c', 'k', '')).toBeInstanceOf(Uint8Array);
    expect(table.set('a', 'k', 'a longer one')).toBeInstanceOf(Uint8Array);
    table.set('b', 'k', '');
    expect(table.set('c', 'k', '1')).toBeInstanceOf(Uint8Array);
    expect(table.values.stats()).toMatchObject({ keys: 2, rejected: 1 });
  });

  test('reject a new or longer value above bytesMax, and accept an equally long one', () => {
    const frame = new Table().set('c', 'k', '1') as Uint8Array;
    const bytes = VALUE_BYTES + 'c\nk'.length + frame.length;
    const table = new Table({ bytesMax: 2 * bytes + 3 });
    table.set('c', 'k', '1');
    table.set('c', 'l', '1');
    expect(table.values.stats().bytes).toBe(2 * bytes);
    expect(table.set('c', 'm', '1')).toBe('keys_full');
    expect(table.set('c', 'k', '12345')).toBe('keys_full');
    expect(table.set('c', 'k', '1234')).toBeInstanceOf(Uint8Array);
    expect(table.set('c', 'l', '2')).toBeInstanceOf(Uint8Array);
    expect(table.read('c')).toEqual(['k=1234', 'l=2']);
    expect(table.values.stats()).toEqual({ keys: 2, bytes: 2 * bytes + 3, rejected: 2, expired: 0 });
  });

  test('count no value that has expired', () => {
    const table = new Table({ valuesMax: 3, bytesMax: 3_000 });
    for (const key of ['a', 'b', 'd']) table.set('c', key, 'x'.repeat(500), 10);
    expect(table.set('c', 'e', '1')).toBe('keys_full');
    table.nowMs += 10;
    expect(table.set('c', 'a', 'x'.repeat(2_000))).toBeInstanceOf(Uint8Array);
    expect(table.values.stats()).toMatchObject({ keys: 1, rejected: 1, expired: 3 });
  });
});

test('a hundred thousand expired values are removed in steps, and read in bounded pages meanwhile', () => {
  const table = new Table();
  const publication = publicationOf('c', 'x');
  const frame = table.set('c', '0', 'x', 1) as Uint8Array;
  for (let index = 0; index < 100_000; index++) {
    table.values.apply(publication, { key: `${index}`, lifeMs: 1 + (index % 2) }, frame, table.nowMs);
  }
  table.set('c', 'stays', 'x');
  table.nowMs += 20;
  let steps = 1;
  while (table.values.sweep(table.nowMs)) {
    steps += 1;
    if (steps % 40 !== 0) continue;
    const { frames } = table.values.page('c', '', table.nowMs);
    expect(frames.length).toBeGreaterThan(0);
    expect(frames.length).toBeLessThan(2_000);
    expect(native.decodePublication(frames[0] ?? new Uint8Array()).keyed?.lifeMs).toBe(1);
  }
  expect(steps).toBeGreaterThan(90);
  expect(table.read('c')).toEqual(['stays=x']);
});
