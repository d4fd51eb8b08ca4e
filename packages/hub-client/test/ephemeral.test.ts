import { encodeText, native } from '@groupcast/protocol';
import { TEXT_FIELDS } from '@groupcast/testkit/in-process';
import { describe, expect, test } from 'vitest';
import { delivery, page, subscribed } from '../testing/fake-hub.ts';
import { Recorder } from '../testing/recorder.ts';
import { useFakeHub } from '../testing/use-fake-hub.ts';

const fixture = useFakeHub();

/** Encodes an ephemeral publication that comes after this offset. */
function ephemeral(channel: string, after: number, text: string): Uint8Array {
  const publication = { ...TEXT_FIELDS, channel, payload: encodeText(text), number: after };
  return native.encodeDeliver({ ...publication, ephemeral: true });
}

/** Returns a subscriber of `a`, which is at offset 5. */
async function following() {
  const [client, session] = await fixture.open();
  const recorder = new Recorder();
  const subscription = client.subscribe('a', recorder);
  await session.takeSubscribe(5);
  await recorder.events.seen((event) => event === 'at a 5');
  return { client, session, recorder, subscription };
}

describe('an ephemeral publication', () => {
  test('is delivered behind the publication whose offset it has, and moves no offset', async () => {
    const { client, session, recorder, subscription } = await following();
    session.send(
      ephemeral('a', 5, 'one'),
      ephemeral('a', 5, 'two'),
      delivery('a', 6, 'six'),
      ephemeral('a', 6, 'three'),
      delivery('a', 7, 'seven'),
    );
    await recorder.events.seen((event) => event === 'a 7 seven');
    expect(recorder.events.all).toEqual([
      'at a 5',
      'a 5 one',
      'a 5 two',
      'a 6 six',
      'a 6 three',
      'a 7 seven',
    ]);
    expect(subscription.offset).toBe(7);
    expect(client.stats()).toMatchObject({ delivered: 5, repeated: 0, holes: 0, ephemeralDropped: 0 });
  });

  test.each([
    ['before the one that the subscriber has', 4],
    ['behind one that the subscriber has not', 6],
  ])('%s is dropped and counted', async (_name, after) => {
    const { client, session, recorder } = await following();
    session.send(ephemeral('a', after, 'stray'), delivery('a', 6, 'six'));
    await recorder.events.seen((event) => event === 'a 6 six');
    expect(recorder.events.all).toEqual(['at a 5', 'a 6 six']);
    expect(client.stats()).toMatchObject({ ephemeralDropped: 1, repeated: 0, holes: 0, recoveries: 0 });
  });

  test('is dropped while the channel recovers, also at the offset of the subscriber', async () => {
    const { client, session, recorder } = await following();
    session.raw.reset();
    const next = await fixture.hub.welcome();
    next.send(
      subscribed(await next.expect('subscribe'), 7),
      ephemeral('a', 7, 'early'),
      ephemeral('a', 5, 'old'),
    );
    const history = await next.expect('history');
    next.send(page(history, ['six', 'seven']), ephemeral('a', 7, 'live'), delivery('a', 8, 'eight'));
    await recorder.events.seen((event) => event === 'a 8 eight');
    expect(recorder.events.all).toEqual(['at a 5', 'a 6 six', 'a 7 seven', 'a 7 live', 'a 8 eight']);
    expect(client.stats()).toMatchObject({ ephemeralDropped: 2, repeated: 0 });
  });

  test('is dropped before the position of the channel is known', async () => {
    const [client, session] = await fixture.open();
    const recorder = new Recorder();
    client.subscribe('a', recorder);
    const subscribe = await session.expect('subscribe');
    session.send(ephemeral('a', 0, 'early'), subscribed(subscribe, 0), ephemeral('a', 0, 'live'));
    await recorder.events.seen((event) => event === 'a 0 live');
    expect(recorder.events.all).toEqual(['at a 0', 'a 0 live']);
  });

  test('reaches the subscribers of a prefix', async () => {
    const [client, session] = await fixture.open();
    const recorder = new Recorder();
    client.subscribePrefix('a', recorder);
    await session.takeSubscribe();
    session.send(ephemeral('ab', 3, 'x'));
    await recorder.events.seen((event) => event === 'ab 3 x');
    expect(client.stats().ephemeralDropped).toBe(0);
  });
});
