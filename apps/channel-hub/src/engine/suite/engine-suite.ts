import { native } from '@groupcast/protocol';
import { describe, expect, test } from 'vitest';
import { publicationOf, startEngine, textOf } from '../../../testing/engine-harness.ts';
import type { Engine } from '../engine.ts';
import { ephemeralSuite } from './ephemeral-suite.ts';
import { historySuite } from './history-suite.ts';

const CHANNEL: native.Subject = { name: 'group:1', prefix: false };
const PREFIX: native.Subject = { name: 'group:', prefix: true };

/** The contract of an engine. It may answer within the call, or later. */
export function engineSuite(name: string, createEngine: () => Engine): void {
  describe(`${name}: offsets`, () => offsetTests(createEngine));
  describe(`${name}: subjects`, () => subjectTests(createEngine));
  describe(`${name}: repetitions`, () => repetitionTests(createEngine));
  historySuite(name, createEngine);
  ephemeralSuite(name, createEngine);
}

function offsetTests(createEngine: () => Engine): void {
  test('gives a subscribed channel offsets that rise by one, over all publishers', async () => {
    const engine = await startEngine(createEngine);
    const start = await engine.subscribe(CHANNEL);
    const one = await engine.publish('group:1', 'a');
    const other = await engine.publish('group:1', 'b');
    expect(one).toEqual({ epoch: start.epoch, offset: start.offset + 1 });
    expect(other).toEqual({ epoch: start.epoch, offset: start.offset + 2 });
    await engine.delivered(2);
    expect(engine.deliveries.map(({ channel, offset }) => [channel, offset])).toEqual([
      ['group:1', one.offset],
      ['group:1', other.offset],
    ]);
  });

  test('delivers the PUBLISH as the DELIVER with the offset and the time, in the same bytes', async () => {
    const engine = await startEngine(createEngine);
    await engine.subscribe(CHANNEL);
    const publication = publicationOf('group:1', 'これはメッセージです');
    const frame = native.encodePublish(publication);
    const [{ offset }] = await Promise.all([engine.publishFrame(publication, frame), engine.delivered(1)]);
    expect(engine.deliveries[0]?.frame).toBe(frame);
    const { timeMs } = native.decodePublication(frame);
    expect(timeMs).toBeGreaterThan(0);
    expect(frame).toEqual(native.encodeDeliver({ ...publication, number: offset, timeMs }));
  });

  test('never gives a position of a channel twice, while it is forgotten and created', async () => {
    const engine = await startEngine(createEngine);
    const seen: number[] = [];
    for (let round = 0; round < 10; round++) {
      const start = await engine.subscribe(CHANNEL);
      expect(start.offset).toBeGreaterThanOrEqual(seen.at(-1) ?? 0);
      for (let count = 0; count < 3; count++) seen.push((await engine.publish('group:1', 'a')).offset);
      await engine.subscribe({ name: `group:other${round}`, prefix: false });
      await engine.unsubscribe(CHANNEL);
      seen.push((await engine.publish('group:1', 'a')).offset);
      await engine.publish('group:2', 'a');
    }
    expect(seen).toEqual([...new Set(seen)].sort((one, other) => one - other));
  });

  test('two instances have two epochs of 128 bits', async () => {
    const one = await (await startEngine(createEngine)).subscribe(CHANNEL);
    const other = await (await startEngine(createEngine)).subscribe(CHANNEL);
    expect(one.epoch).toMatch(/^[\w-]{22}$/);
    expect(other.epoch).toMatch(/^[\w-]{22}$/);
    expect(one.epoch).not.toBe(other.epoch);
  });

  test('does not answer request 0', async () => {
    const engine = await startEngine(createEngine);
    await engine.subscribe(CHANNEL);
    const publication = publicationOf('group:1', 'a');
    engine.publishWith(publication, native.encodePublish(publication), 0);
    await engine.publish('group:1', 'b');
    await engine.delivered(2);
    expect(engine.answeredRequests).not.toContain(0);
  });

  test('rejects publications once it is closed', async () => {
    const engine = await startEngine(createEngine);
    await engine.close();
    await expect(engine.publish('group:1', 'a')).rejects.toMatchObject({ code: 'hub_unavailable' });
  });
}

function subjectTests(createEngine: () => Engine): void {
  test('gives a channel without a subscription a position, and does not deliver it', async () => {
    const engine = await startEngine(createEngine);
    await engine.subscribe(CHANNEL);
    const position = await engine.publish('group:2', 'a');
    expect(position.offset).toBeGreaterThan(0);
    await engine.publish('group:1', 'b');
    await engine.delivered(1);
    expect(engine.deliveries.map(({ channel }) => channel)).toEqual(['group:1']);
  });

  test('delivers all channels of a subscribed prefix, once', async () => {
    const engine = await startEngine(createEngine);
    expect(await engine.subscribe(PREFIX)).toEqual({ epoch: '', offset: 0 });
    await engine.subscribe(CHANNEL);
    await engine.subscribe({ name: 'group:1', prefix: true });
    await engine.publish('group:1', 'a');
    await engine.publish('group', 'not this one');
    await engine.publish('group:2', 'b');
    await engine.delivered(2);
    await engine.unsubscribe(PREFIX);
    await engine.publish('group:2', 'not this one');
    await engine.publish('group:1', 'c');
    await engine.delivered(3);
    expect(engine.deliveries.map(({ frame }) => textOf(frame))).toEqual(['a', 'b', 'c']);
  });

  test('answers subscribe before later publications, with the position before them', async () => {
    const engine = await startEngine(createEngine);
    await engine.subscribe(PREFIX);
    const before = engine.publish('group:1', 'a');
    const answer = engine.subscribe(CHANNEL);
    const after = await engine.publish('group:1', 'b');
    const position = await answer;
    expect(position.offset).toBeGreaterThanOrEqual((await before).offset);
    expect(after.offset).toBe(position.offset + 1);
    await engine.delivered(2);
    expect(engine.events.slice(-2)).toEqual(['subscribed group:1', `deliver group:1 ${after.offset}`]);
  });
}

function repetitionTests(createEngine: () => Engine): void {
  test('stores a message id once: the first position is the answer, and nothing is delivered again', async () => {
    const engine = await startEngine(createEngine);
    await engine.subscribe(CHANNEL);
    const first = await engine.publish('group:1', 'a', { messageId: 'm1' });
    const between = await engine.publish('group:1', 'b', { messageId: 'm2' });
    const again = await engine.publish('group:1', 'not this one', { messageId: 'm1' });
    expect(again).toEqual(first);
    expect(between.offset).toBe(first.offset + 1);
    expect((await engine.publish('group:1', 'c', { messageId: 'm3' })).offset).toBe(between.offset + 1);
    await engine.delivered(3);
    expect(engine.deliveries.map(({ frame }) => textOf(frame))).toEqual(['a', 'b', 'c']);
    expect(engine.stats().history).toMatchObject({ messageIds: 3, duplicates: 1, publications: 3 });
  });

  test('an id belongs to its channel and its sender; an empty id is no id', async () => {
    const engine = await startEngine(createEngine);
    await engine.subscribe(PREFIX);
    const fields = [
      { sender: 'me', messageId: 'm1' },
      { sender: 'you', messageId: 'm1' },
      { sender: '', messageId: 'm1' },
      // The same concatenation, split elsewhere.
      { sender: 'mem', messageId: '1' },
      { sender: 'm', messageId: 'em1' },
      { sender: 'me', messageId: '' },
      { sender: 'me', messageId: '' },
    ];
    for (const channel of ['group:1', 'group:2']) {
      for (const each of fields) await engine.publish(channel, 'a', each);
    }
    await engine.delivered(2 * fields.length);
    expect(engine.stats().history.duplicates).toBe(0);
    for (const each of fields) await engine.publish('group:2', 'a', each);
    expect(engine.stats().history.duplicates).toBe(5);
  });

  test('two pending repetitions are one publication', async () => {
    const engine = await startEngine(createEngine);
    await engine.subscribe(CHANNEL);
    const same = Array.from({ length: 5 }, () => engine.publish('group:1', 'a', { messageId: 'm1' }));
    const positions = await Promise.all(same);
    expect(new Set(positions.map(({ offset }) => offset)).size).toBe(1);
    await engine.publish('group:1', 'b');
    await engine.delivered(2);
    expect(engine.deliveries.map(({ frame }) => textOf(frame))).toEqual(['a', 'b']);
  });

  test('a repetition with request 0 gets no answer', async () => {
    const engine = await startEngine(createEngine);
    const publication = { ...publicationOf('group:1', 'a'), messageId: 'm1' };
    await engine.publishFrame(publication, native.encodePublish(publication));
    engine.publishWith(publication, native.encodePublish(publication), 0);
    await engine.publish('group:1', 'b');
    expect(engine.answeredRequests).not.toContain(0);
    expect(engine.stats().history.duplicates).toBe(1);
  });
}
