import { limits, native, type Position } from '@groupcast/protocol';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Harness, publicationOf, startEngine, textOf } from '../../../testing/engine-harness.ts';
import type { Engine } from '../engine.ts';
import { keyedModelTests } from './keyed-model.ts';

/** History of the engine of these tests: publications of a channel, and milliseconds of age. */
export const KEYED_HISTORY = { countMax: 3, ageMs: 1_000 } as const;

/** Creates an engine with KEYED_HISTORY that keeps at most this many values. */
export type CreateKeyedEngine = (valuesMax: number) => Engine;

const CHANNEL: native.Subject = { name: 'c', prefix: false };
const NOWHERE: Position = { epoch: '', offset: 0 };

/** The contract of an engine for keyed channels. It reads its time with `performance.now`. */
export function keyedSuite(name: string, createEngine: CreateKeyedEngine): void {
  describe(`${name}: keyed channels`, () => {
    beforeEach(() => {
      vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] });
    });
    afterEach(() => {
      vi.useRealTimers();
    });
    snapshotTests(() => createEngine(100_000));
    pageTests(() => createEngine(100_000));
    boundTests(createEngine);
    keyedModelTests(createEngine);
  });
}

function set(engine: Harness, key: string, text: string, lifeMs = 0): Promise<Position> {
  return engine.publish('c', text, { keyed: { key, lifeMs } });
}

/** Returns the snapshot of a channel, as `key=text`, and the lives that are not endless. */
async function snapshot(engine: Harness, channel = 'c', since = NOWHERE): Promise<string[]> {
  const found: string[] = [];
  for (let afterKey = ''; ; ) {
    const page = await engine.history(channel, since, { snapshot: true, afterKey });
    expect(page.verdict).toBe('snapshot');
    for (const frame of page.frames) {
      const { keyed } = native.decodePublication(frame);
      afterKey = keyed?.key ?? '';
      found.push(`${afterKey}=${textOf(frame)}${keyed?.lifeMs ? ` ${keyed.lifeMs}` : ''}`);
    }
    if (!page.more) return found;
    expect(page.frames.length).toBeGreaterThan(0);
  }
}

function snapshotTests(createEngine: () => Engine): void {
  test('a snapshot replaces epoch_changed and trimmed, and only where it was asked for', async () => {
    const engine = await startEngine(createEngine);
    const before = await set(engine, 'k', 'old');
    for (const text of ['1', '2', '3']) await engine.publish('c', text);
    const top = await set(engine, 'k', 'new');
    for (const [since, verdict, epochIs] of [
      [before, 'trimmed', 'same'],
      [NOWHERE, 'epoch_changed', 'changed'],
      [{ ...top, offset: top.offset + 1 }, 'epoch_changed', 'same'],
    ] as const) {
      const nothing = { position: top, epochIs, more: false, frames: [] };
      expect(await engine.history('c', since)).toEqual({ verdict, ...nothing });
      const page = await engine.history('c', since, { snapshot: true });
      expect(page).toMatchObject({ verdict: 'snapshot', position: top, epochIs, more: false });
      expect(page.frames.map(textOf)).toEqual(['new']);
    }
    const since = { ...top, offset: top.offset - 2 };
    const page = await engine.history('c', since, { snapshot: true });
    expect(page).toMatchObject({ verdict: 'recovered', position: top, epochIs: 'same', more: false });
    expect(page.frames.map(textOf)).toEqual(['3', 'new']);
    expect(engine.stats().history.reads).toMatchObject({ snapshot: 3, epoch_changed: 2, trimmed: 1 });
  });

  test('values outlive the history of their channel, and its offsets never go back', async () => {
    const engine = await startEngine(createEngine);
    const first = await set(engine, 'k', 'kept');
    await set(engine, 'l', 'removed');
    const last = await set(engine, 'l', '');
    vi.advanceTimersByTime(10 * KEYED_HISTORY.ageMs);
    expect(engine.stats()).toMatchObject({ channels: 0, history: { publications: 0 } });
    expect(await snapshot(engine)).toEqual(['k=kept']);
    const next = await set(engine, 'm', 'later');
    expect(next.epoch).toBe(first.epoch);
    expect(next.offset).toBeGreaterThan(last.offset);
    expect(await snapshot(engine)).toEqual(['k=kept', 'm=later']);
  });

  test('a life is what remains of it, in a snapshot and in history, and at least 1', async () => {
    const engine = await startEngine(createEngine);
    const before = await engine.subscribe(CHANNEL);
    await set(engine, 'a', '1', 500);
    await set(engine, 'b', '2', 200);
    await set(engine, 'd', '3');
    await engine.delivered(3);
    const livesOf = (frames: readonly Uint8Array[]): unknown[] =>
      frames.map((frame) => native.decodePublication(frame).keyed?.lifeMs);
    expect(livesOf(engine.deliveries.map(({ frame }) => frame))).toEqual([500, 200, 0]);
    vi.advanceTimersByTime(200);
    expect(await snapshot(engine)).toEqual(['a=1 300', 'd=3']);
    expect(livesOf((await engine.history('c', before)).frames)).toEqual([300, 1, 0]);
    await engine.delivered(3);
    expect(engine.deliveries).toHaveLength(3);
  });

  test('a repetition changes no value', async () => {
    const engine = await startEngine(createEngine);
    const keyed = { key: 'k', lifeMs: 0 };
    const first = await engine.publish('c', '1', { keyed, messageId: 'm1' });
    await set(engine, 'k', '2');
    expect(await engine.publish('c', '1', { keyed, messageId: 'm1' })).toEqual(first);
    expect(await snapshot(engine)).toEqual(['k=2']);
  });

  test('a channel without keys has an empty snapshot, and keys leave nothing behind', async () => {
    const engine = await startEngine(createEngine);
    await engine.publish('c', 'no key');
    expect(await snapshot(engine)).toEqual([]);
    await set(engine, 'k', '1');
    await engine.publish('d', '1', { keyed: { key: 'k', lifeMs: 10 } });
    await set(engine, 'k', '');
    vi.advanceTimersByTime(10);
    expect(await snapshot(engine, 'd')).toEqual([]);
    expect(engine.stats().keyed).toEqual({ keys: 0, bytes: 0, rejected: 0, expired: 1 });
  });
}

function pageTests(createEngine: () => Engine): void {
  test('a snapshot in pages of 64 KiB continues after a key that is gone meanwhile', async () => {
    const engine = await startEngine(createEngine);
    const keys = Array.from({ length: 40 }, (_, index) => `key ${String(index).padStart(2, '0')}`);
    for (const key of keys.toReversed()) await set(engine, key, key.padEnd(5_000, '.'));
    const found: string[] = [];
    let pages = 0;
    for (let afterKey = '', more = true; more; pages += 1) {
      const page = await engine.history('c', NOWHERE, { snapshot: true, afterKey });
      const bytes = page.frames.reduce((sum, frame) => sum + frame.length, 0);
      expect(bytes).toBeLessThanOrEqual(limits.HISTORY_PAGE_BYTES_MAX);
      for (const frame of page.frames) found.push(native.decodePublication(frame).keyed?.key ?? '');
      afterKey = found.at(-1) ?? '';
      more = page.more;
      await set(engine, afterKey, '');
    }
    expect(found).toEqual(keys);
    expect(pages).toBe(4);
  });

  test('what continues a snapshot is a snapshot, also if history has the position by then', async () => {
    const engine = await startEngine(createEngine);
    const top = await set(engine, 'a', '1');
    const since = { ...top, offset: top.offset + 2 };
    for (const text of ['2', '3', '4']) await set(engine, 'b', text);
    expect((await engine.history('c', since, { snapshot: true })).verdict).toBe('recovered');
    const page = await engine.history('c', since, { snapshot: true, afterKey: 'a' });
    expect(page).toMatchObject({ verdict: 'snapshot', more: false });
    expect(page.frames.map(textOf)).toEqual(['4']);
  });
}

function boundTests(createEngine: CreateKeyedEngine): void {
  test('a key above the limit is keys_full, takes no offset and is not delivered', async () => {
    const engine = await startEngine(() => createEngine(2));
    await engine.subscribe(CHANNEL);
    await set(engine, 'a', '1');
    const top = await set(engine, 'b', '2');
    await expect(set(engine, 'd', '3')).rejects.toMatchObject({ code: 'keys_full' });
    // Neither does the message id of a rejected publication count.
    const publication = { ...publicationOf('c', '3'), keyed: { key: 'd', lifeMs: 0 }, messageId: 'm1' };
    const publish = (): Promise<Position> =>
      engine.publishFrame(publication, native.encodePublish(publication));
    await expect(publish()).rejects.toMatchObject({ code: 'keys_full' });
    expect(await set(engine, 'a', '')).toEqual({ ...top, offset: top.offset + 1 });
    expect(await publish()).toEqual({ ...top, offset: top.offset + 2 });
    await engine.delivered(4);
    expect(engine.deliveries.map(({ offset }) => offset - top.offset)).toEqual([-1, 0, 1, 2]);
    expect(await snapshot(engine)).toEqual(['b=2', 'd=3']);
    expect(engine.stats().keyed).toMatchObject({ keys: 2, rejected: 2 });
  });
}
