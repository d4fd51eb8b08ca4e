import { native } from '@groupcast/protocol';
import { describe, expect, test } from 'vitest';
import { publicationOf, startEngine, textOf } from '../../../testing/engine-harness.ts';
import type { Engine } from '../engine.ts';

const CHANNEL: native.Subject = { name: 'group:1', prefix: false };
const PREFIX: native.Subject = { name: 'group:', prefix: true };
const EPHEMERAL = { ephemeral: true } as const;

/** The contract of an engine for ephemeral publications. */
export function ephemeralSuite(name: string, createEngine: () => Engine): void {
  describe(`${name}: ephemeral publications`, () => ephemeralTests(createEngine));
}

function ephemeralTests(createEngine: () => Engine): void {
  test('take no offset and are in no history; the answer is the position of the channel', async () => {
    const engine = await startEngine(createEngine);
    const first = await engine.publish('group:1', 'a');
    expect(await engine.publish('group:1', 'x', EPHEMERAL)).toEqual(first);
    const second = await engine.publish('group:1', 'b');
    expect(second.offset).toBe(first.offset + 1);
    expect(await engine.publish('group:1', 'y', EPHEMERAL)).toEqual(second);
    const page = await engine.history('group:1', { ...first, offset: first.offset - 1 });
    expect(page).toMatchObject({ verdict: 'recovered', position: second, more: false });
    expect(page.frames.map(textOf)).toEqual(['a', 'b']);
    expect(engine.stats().history.publications).toBe(2);
  });

  test('are delivered in order with the others, with the offset before them and the time', async () => {
    const engine = await startEngine(createEngine);
    const { offset: start } = await engine.subscribe(CHANNEL);
    const texts = ['x', 'a', 'y', 'z', 'b'];
    const isEphemeral = (text: string): boolean => 'xyz'.includes(text);
    await Promise.all(texts.map((text) => engine.publish('group:1', text, { ephemeral: isEphemeral(text) })));
    await engine.delivered(texts.length);
    expect(engine.deliveries.map(({ frame }) => textOf(frame))).toEqual(texts);
    expect(engine.events.slice(1)).toEqual([
      `ephemeral group:1 ${start}`,
      `deliver group:1 ${start + 1}`,
      `ephemeral group:1 ${start + 1}`,
      `ephemeral group:1 ${start + 1}`,
      `deliver group:1 ${start + 2}`,
    ]);
    const times = engine.deliveries.map(({ frame }) => native.decodePublication(frame).timeMs);
    expect(times[0]).toBeGreaterThan(0);
    expect(times).toEqual([...times].sort((one, other) => one - other));
  });

  test('to a channel without a subscription go to the subscribers of its prefixes', async () => {
    const engine = await startEngine(createEngine);
    await engine.subscribe(PREFIX);
    await engine.publish('other', 'not this one', EPHEMERAL);
    await engine.publish('group:2', 'x', EPHEMERAL);
    await engine.delivered(1);
    expect(engine.deliveries.map(({ frame }) => textOf(frame))).toEqual(['x']);
  });

  test('make the engine keep nothing', async () => {
    const engine = await startEngine(createEngine);
    for (let index = 0; index < 100; index++) await engine.publish(`group:${index}`, 'x', EPHEMERAL);
    expect(engine.stats()).toMatchObject({ channels: 0, history: { positions: 0, bytes: 0, messageIds: 0 } });
  });

  test('with request 0 get no answer', async () => {
    const engine = await startEngine(createEngine);
    await engine.subscribe(CHANNEL);
    const publication = { ...publicationOf('group:1', 'x'), ...EPHEMERAL };
    engine.publishWith(publication, native.encodePublish(publication), 0);
    await engine.publish('group:1', 'a');
    await engine.delivered(2);
    expect(engine.answeredRequests).not.toContain(0);
  });

  test('are rejected once the engine is closed', async () => {
    const engine = await startEngine(createEngine);
    await engine.close();
    const publishing = engine.publish('group:1', 'x', EPHEMERAL);
    await expect(publishing).rejects.toMatchObject({ code: 'hub_unavailable' });
  });
}
