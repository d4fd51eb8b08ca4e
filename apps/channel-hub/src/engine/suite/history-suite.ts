import { limits, native, type Position } from '@groupcast/protocol';
import { describe, expect, test } from 'vitest';
import { type Harness, startEngine, textOf } from '../../../testing/engine-harness.ts';
import type { Engine, HistoryPage } from '../engine.ts';

const CHANNEL: native.Subject = { name: 'group:1', prefix: false };

/** The contract of an engine for history. */
export function historySuite(name: string, createEngine: () => Engine): void {
  describe(`${name}: pages`, () => pageTests(createEngine));
  describe(`${name}: the newest publications`, () => lastTests(createEngine));
  describe(`${name}: verdicts`, () => verdictTests(createEngine));
  describe(`${name}: history and deliveries`, () => orderTests(createEngine));
  describe(`${name}: bounds of single channels`, () => boundsTests(createEngine));
}

/** Publishes texts in order. Returns the position of the channel before them. */
async function publishAll(engine: Harness, texts: readonly string[]): Promise<Position> {
  const before = await engine.position('group:1');
  for (const text of texts) await engine.publish('group:1', text);
  return before;
}

function textsOf(page: HistoryPage): string[] {
  return page.frames.map(textOf);
}

function behind(position: Position, count: number): Position {
  return { epoch: position.epoch, offset: position.offset + count };
}

/** Reads all publications after a position, page by page, as a peer does. */
async function readAll(engine: Harness, since: Position): Promise<{ texts: string[]; pages: number }> {
  const texts: string[] = [];
  for (let pages = 1; ; pages++) {
    const page = await engine.history('group:1', behind(since, texts.length));
    expect(page).toMatchObject({ verdict: 'recovered', epochIs: 'same' });
    texts.push(...textsOf(page));
    expect(page.more).toBe(since.offset + texts.length < page.position.offset);
    if (since.offset + texts.length === page.position.offset) return { texts, pages };
    expect(page.frames.length).toBeGreaterThan(0);
  }
}

function pageTests(createEngine: () => Engine): void {
  test('has the publications after a position, as delivered, from any position on', async () => {
    const engine = await startEngine(createEngine);
    await engine.subscribe(CHANNEL);
    const texts = ['a', 'これはメッセージです', '', 'd'];
    const before = await publishAll(engine, texts);
    await engine.delivered(4);
    for (let missed = 0; missed <= texts.length; missed++) {
      const page = await engine.history('group:1', behind(before, texts.length - missed));
      expect(page.verdict).toBe('recovered');
      expect(page.position).toEqual(behind(before, texts.length));
      expect(page.frames.map((frame) => [...frame])).toEqual(
        engine.deliveries.slice(texts.length - missed).map(({ frame }) => [...frame]),
      );
    }
  });

  test('of a channel without a subscription is the same', async () => {
    const engine = await startEngine(createEngine);
    const before = await publishAll(engine, ['a', 'b', 'c']);
    expect((await readAll(engine, before)).texts).toEqual(['a', 'b', 'c']);
    expect(engine.deliveries).toEqual([]);
  });

  test('ends at 64 KiB, and the next one continues there', async () => {
    const engine = await startEngine(createEngine);
    const texts = Array.from({ length: 40 }, (_, index) => `${index} `.padEnd(5_000, 'x'));
    const before = await publishAll(engine, texts);
    const first = await engine.history('group:1', before);
    const bytes = first.frames.reduce((sum, frame) => sum + frame.length, 0);
    expect(bytes).toBeLessThanOrEqual(limits.HISTORY_PAGE_BYTES_MAX);
    expect(bytes + 5_100).toBeGreaterThan(limits.HISTORY_PAGE_BYTES_MAX);
    const all = await readAll(engine, before);
    expect(all.texts).toEqual(texts);
    expect(all.pages).toBe(4);
  });

  test('has at least one publication, however long', async () => {
    const engine = await startEngine(createEngine);
    const texts = ['a', 'x'.repeat(200_000), 'b', 'y'.repeat(limits.HISTORY_PAGE_BYTES_MAX), 'c'];
    const before = await publishAll(engine, texts);
    const all = await readAll(engine, before);
    expect(all.texts).toEqual(texts);
    // The long ones have a page of their own.
    expect(all.pages).toBe(5);
  });

  test('keeps the excluded sender, the sender and the message id', async () => {
    const engine = await startEngine(createEngine);
    const before = await engine.position('group:1');
    const fields = { sender: 'me', messageId: 'm1', excludeSender: true, kind: 'json' } as const;
    await engine.publish('group:1', '{}', fields);
    const { frames } = await engine.history('group:1', before);
    expect(frames.map((frame) => native.decodePublication(frame))).toMatchObject([{ ...fields }]);
  });

  test('does not change when the buffer of a publication is reused', async () => {
    const engine = await startEngine(createEngine);
    const before = await engine.position('group:1');
    const fields = {
      channel: 'group:1',
      kind: 'text',
      excludeSender: false,
      sender: '',
      messageId: '',
    } as const;
    const frame = native.encodePublish({ ...fields, payload: new Uint8Array([0x61]), number: 1 });
    const read = Buffer.alloc(1_000);
    read.set(frame, 100);
    const slice = read.subarray(100, 100 + frame.length);
    await engine.publishFrame(native.decodePublication(slice), slice);
    read.fill(0);
    expect(textsOf(await engine.history('group:1', before))).toEqual(['a']);
  });

  test('has a repeated publication once', async () => {
    const engine = await startEngine(createEngine);
    const before = await engine.position('group:1');
    for (const messageId of ['1', '1', '2', '1', '2'])
      await engine.publish('group:1', messageId, { messageId });
    expect((await readAll(engine, before)).texts).toEqual(['1', '2']);
  });
}

function lastTests(createEngine: () => Engine): void {
  test('are as many as asked for, whatever the position, or all that are kept', async () => {
    const engine = await startEngine(createEngine);
    const before = await publishAll(engine, ['a', 'b', 'c', 'd']);
    const top = behind(before, 4);
    for (const since of [before, top, { epoch: '', offset: 0 }, behind(before, 100)]) {
      const epochIs = since.epoch === '' ? 'changed' : 'same';
      for (const [last, texts] of [
        [1, ['d']],
        [3, ['b', 'c', 'd']],
        [100, ['a', 'b', 'c', 'd']],
      ] as const) {
        const page = await engine.history('group:1', since, { last });
        expect(page).toMatchObject({ verdict: 'recovered', position: top, epochIs, more: false });
        expect(textsOf(page)).toEqual(texts);
      }
    }
  });

  test('of a channel without any are none', async () => {
    const engine = await startEngine(createEngine);
    const page = await engine.history('group:1', { epoch: '', offset: 0 }, { last: 5 });
    const position = await engine.position('group:1');
    expect(page).toEqual({ verdict: 'recovered', position, epochIs: 'changed', more: false, frames: [] });
  });

  test('above 64 KiB are continued from the last offset of the page', async () => {
    const engine = await startEngine(createEngine);
    const texts = Array.from({ length: 40 }, (_, index) => `${index} `.padEnd(5_000, 'x'));
    const before = await publishAll(engine, texts);
    const page = await engine.history('group:1', { epoch: '', offset: 0 }, { last: 30 });
    expect(page.more).toBe(true);
    expect(textsOf(page)).toEqual(texts.slice(10, 10 + page.frames.length));
    const read = behind(before, 10 + page.frames.length);
    expect((await readAll(engine, read)).texts).toEqual(texts.slice(10 + page.frames.length));
  });
}

function verdictTests(createEngine: () => Engine): void {
  test('at the top is empty', async () => {
    const engine = await startEngine(createEngine);
    const before = await publishAll(engine, ['a']);
    const page = await engine.history('group:1', behind(before, 1));
    const rest = { epochIs: 'same', more: false, frames: [] };
    expect(page).toEqual({ verdict: 'recovered', position: behind(before, 1), ...rest });
  });

  test.each(['', '-', 'another epoch'])(
    'epoch %j is another one, and the answer has the position',
    async (epoch) => {
      const engine = await startEngine(createEngine);
      const before = await publishAll(engine, ['a', 'b']);
      const page = await engine.history('group:1', { epoch, offset: before.offset });
      const rest = { epochIs: 'changed', more: false, frames: [] };
      expect(page).toEqual({ verdict: 'epoch_changed', position: behind(before, 2), ...rest });
    },
  );

  test('an offset above the top is of another epoch', async () => {
    const engine = await startEngine(createEngine);
    const before = await publishAll(engine, ['a']);
    for (const offset of [before.offset + 2, Number.MAX_SAFE_INTEGER]) {
      const page = await engine.history('group:1', { epoch: before.epoch, offset });
      const rest = { epochIs: 'same', more: false, frames: [] };
      expect(page).toEqual({ verdict: 'epoch_changed', position: behind(before, 1), ...rest });
    }
  });

  test('an unknown channel has a position, and it can be read from', async () => {
    const engine = await startEngine(createEngine);
    await publishAll(engine, ['a', 'b']);
    const position = await engine.position('new');
    const rest = { epochIs: 'same', more: false, frames: [] };
    expect(await engine.history('new', position)).toEqual({ verdict: 'recovered', position, ...rest });
    expect((await engine.publish('new', 'c')).offset).toBe(position.offset + 1);
    expect(textsOf(await engine.history('new', position))).toEqual(['c']);
  });

  test('reading from a closed engine is rejected', async () => {
    const engine = await startEngine(createEngine);
    const position = await engine.position('group:1');
    await engine.close();
    await expect(engine.history('group:1', position)).rejects.toMatchObject({ code: 'hub_unavailable' });
  });

  test('reads are counted by verdict', async () => {
    const engine = await startEngine(createEngine);
    const position = await engine.position('group:1');
    await engine.history('group:1', position);
    await engine.history('group:1', position);
    expect(engine.stats().history.reads).toEqual({ recovered: 2, epoch_changed: 1, trimmed: 0, snapshot: 0 });
  });
}

function orderTests(createEngine: () => Engine): void {
  test('a page is ordered among the deliveries by its position', async () => {
    const engine = await startEngine(createEngine);
    const start = await engine.subscribe(CHANNEL);
    const calls: Promise<unknown>[] = [];
    for (let round = 0; round < 50; round++) {
      for (let count = 0; count < round % 4; count++) calls.push(engine.publish('group:1', 'a'));
      calls.push(engine.history('group:1', start));
      if (round % 3 === 0) calls.push(engine.publish('group:1', 'a'));
    }
    await Promise.all(calls);
    const { offset: top } = await engine.position('group:1');
    await engine.delivered(top - start.offset);
    let delivered = start.offset;
    let pages = 0;
    for (const event of engine.events) {
      const [what, , ...rest] = event.split(' ');
      const offset = Number(rest.at(-1));
      if (what === 'deliver') expect(offset).toBe(delivered + 1);
      if (what === 'deliver') delivered = offset;
      if (what === 'page') expect(offset, event).toBe(delivered);
      if (what === 'page') pages += 1;
    }
    expect(pages).toBe(51);
    expect(delivered).toBe(top);
  });

  test('publications without a subscriber are in the page of the next subscriber', async () => {
    const engine = await startEngine(createEngine);
    const position = await engine.subscribe(CHANNEL);
    await engine.publish('group:1', 'a');
    await engine.unsubscribe(CHANNEL);
    await engine.publish('group:1', 'b');
    const again = await engine.subscribe(CHANNEL);
    expect(again).toEqual(behind(position, 2));
    await engine.publish('group:1', 'c');
    expect((await readAll(engine, position)).texts).toEqual(['a', 'b', 'c']);
  });
}

function boundsTests(createEngine: () => Engine): void {
  const three = { countMax: 3 };
  const texts = ['a', 'b', 'c', 'd', 'e'];

  /** Publishes to both channels. Returns how many publications of each are kept. */
  async function keptOf(engine: Harness): Promise<number[]> {
    const counts: number[] = [];
    for (const channel of ['group:1', 'group:2']) {
      for (const text of texts) await engine.publish(channel, text);
      counts.push((await engine.history(channel, { epoch: '', offset: 0 }, { last: 100 })).frames.length);
    }
    return counts;
  }

  test('hold for new channels, and those of the engine for all others', async () => {
    const engine = await startEngine(createEngine);
    engine.boundHistory((channel) => (channel === 'group:1' ? three : undefined));
    expect(await keptOf(engine)).toEqual([3, 5]);
  });

  test('hold for existing channels when they change, and the positions stay', async () => {
    const engine = await startEngine(createEngine);
    const before = await publishAll(engine, texts);
    await engine.subscribe(CHANNEL);
    engine.boundHistory(() => three);
    expect((await engine.history('group:1', before)).verdict).toBe('trimmed');
    const page = await engine.history('group:1', behind(before, 2));
    expect(textsOf(page)).toEqual(['c', 'd', 'e']);
    expect(await engine.position('group:1')).toEqual(behind(before, 5));
    engine.boundHistory(() => undefined);
    expect(await keptOf(engine)).toEqual([8, 5]);
  });

  test('of no publications keep the position only', async () => {
    const engine = await startEngine(createEngine);
    const before = await publishAll(engine, texts);
    engine.boundHistory(() => ({ bytesMax: 0 }));
    expect((await engine.history('group:1', behind(before, 4))).verdict).toBe('trimmed');
    expect(await engine.history('group:1', behind(before, 5))).toMatchObject({ verdict: 'recovered' });
    expect(await keptOf(engine)).toEqual([0, 0]);
  });

  test('are asked for once, until the next change', async () => {
    const engine = await startEngine(createEngine);
    const asked: string[] = [];
    const boundsOf = (channel: string): undefined => void asked.push(channel);
    engine.boundHistory(boundsOf);
    await keptOf(engine);
    expect(asked.sort()).toEqual(['group:1', 'group:2']);
    engine.boundHistory(boundsOf);
    await engine.position('group:1');
    expect(asked.sort()).toEqual(['group:1', 'group:1', 'group:2', 'group:2']);
  });
}
