import { decodeText, native, type ProtocolError } from '@groupcast/protocol';
import { EventQueue, until } from '@groupcast/testkit';
import { describe, expect, test, vi } from 'vitest';
import type { PublishAnswer } from '../src/publishing/outbox.ts';
import { EPOCH, published } from '../testing/fake-hub.ts';
import { nextState, Recorder, statesOf } from '../testing/recorder.ts';
import { useFakeHub } from '../testing/use-fake-hub.ts';

const fixture = useFakeHub();

/** Resolves with the error that a publish fails with. */
async function failure(publish: Promise<unknown>): Promise<ProtocolError> {
  return publish.then(
    (position) => Promise.reject(new Error(`It was published at ${JSON.stringify(position)}.`)),
    (error: ProtocolError) => error,
  );
}

describe('publish', () => {
  test('resolves with the position that the hub returns', async () => {
    const [client, session] = await fixture.open();
    const position = client.publish('group:1', 'これは');
    const publication = await session.takePublish(41);
    expect(await position).toEqual({ epoch: EPOCH, offset: 41 });
    expect(decodeText(publication.payload)).toBe('これは');
    expect(publication).toMatchObject({
      channel: 'group:1',
      kind: 'text',
      sender: '',
      messageId: '',
      excludeSender: false,
    });
    expect(client.stats()).toMatchObject({ state: 'open', published: 1, unanswered: 0 });
  });

  test('sends its sender and message id', async () => {
    const [client, session] = await fixture.open();
    const options = { sender: 'client-1', messageId: 'm-1', excludeSender: true };
    const positions = [
      client.publish('c', Uint8Array.of(0, 255), options),
      client.publish('c', '{}', { kind: 'json' }),
    ];
    expect(await session.takePublish(1)).toMatchObject({
      kind: 'bytes',
      payload: Buffer.of(0, 255),
      ...options,
    });
    expect(await session.takePublish(2)).toMatchObject({ kind: 'json' });
    await Promise.all(positions);
  });

  test('matches answers with publishes in any order', async () => {
    const [client, session] = await fixture.open();
    const positions = ['a', 'b', 'c'].map((channel) => client.publish(channel, ''));
    const requests: number[] = [];
    for (const _ of positions) requests.push((await session.expect('publish')).publication.number);
    const [a = 0, b = 0, c = 0] = requests;
    session.send(published(c, 3), published(a, 1), published(b, 2));
    expect((await Promise.all(positions)).map(({ offset }) => offset)).toEqual([1, 2, 3]);
  });

  test('requests no answer without an answer object', async () => {
    const [client, session] = await fixture.open();
    client.publishWithAnswer('c', 'x', {}, undefined);
    expect((await session.expect('publish')).publication.number).toBe(0);
    expect(client.stats()).toMatchObject({ published: 1, unanswered: 0 });
  });

  test('rejects with the code and the message of the hub', async () => {
    const [client, session] = await fixture.open();
    const [known, unknown] = [client.publish('c', 'x'), client.publish('c', 'y')];
    const [first, second] = [await session.expect('publish'), await session.expect('publish')];
    const refuse = (request: number, code: string): void =>
      session.send(native.encodeError({ request, code, message: 'Not now.' }));
    refuse(first.publication.number, 'rate_limited');
    refuse(second.publication.number, 'code_of_a_newer_hub');
    expect(await failure(known)).toMatchObject({ code: 'rate_limited', message: 'Not now.' });
    expect(await failure(unknown)).toMatchObject({ code: 'internal_error', message: 'Not now.' });
    expect(client.state).toBe('open');
  });

  test('has an unknown outcome when no answer comes in time, and ignores a late one', async () => {
    const [client, session] = await fixture.open({ publishMs: 20 });
    const refusals: unknown[] = [];
    client.on('rejected', (...refusal) => refusals.push(refusal));
    const late = [client.publish('c', 'x'), client.publish('c', 'y')];
    for (const publish of late) expect((await failure(publish)).code).toBe('outcome_unknown');
    expect(client.stats().unanswered).toBe(0);

    const [x, y] = [await session.expect('publish'), await session.expect('publish')];
    session.send(
      published(x.publication.number, 7),
      native.encodeError({ request: y.publication.number, code: 'rate_limited', message: 'Late.' }),
    );
    const recorder = new Recorder();
    client.subscribe('after', recorder);
    await session.takeSubscribe();
    await recorder.events.next();
    expect(client.state).toBe('open');
    expect(refusals).toEqual([]);
  });

  test('never waits longer than publishMs, whenever it begins', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
    try {
      const [client] = await fixture.open({ publishMs: 10_000 });
      // Between two sweeps.
      vi.advanceTimersByTime(500);
      const failed: string[] = [];
      void failure(client.publish('c', 'x')).then(({ code }) => failed.push(code));
      client.history(
        'c',
        { epoch: EPOCH, offset: 0 },
        {
          page: () => failed.push('page'),
          failed: ({ code }) => failed.push(code),
        },
      );
      void failure(client.enqueue('q', 'x')).then(({ code }) => failed.push(code));
      for (let second = 0; second < 9; second++) vi.advanceTimersByTime(1_000);
      await new Promise(setImmediate);
      expect(failed).toEqual([]);
      vi.advanceTimersByTime(1_000);
      await new Promise(setImmediate);
      expect(failed.toSorted()).toEqual(['hub_unavailable', 'outcome_unknown', 'outcome_unknown']);
    } finally {
      vi.useRealTimers();
    }
  });

  test.each(['end', 'reset'] as const)(
    'has an unknown outcome when the link is cut (%s), and is not sent again',
    async (cut) => {
      const [client, session] = await fixture.open();
      const cutOff = ['1', '2', '3'].map((text) => failure(client.publish('c', text)));
      for (const _ of cutOff) await session.expect('publish');
      session.raw[cut]();
      expect((await Promise.all(cutOff)).map(({ code }) => code)).toEqual(Array(3).fill('outcome_unknown'));
      expect(client.stats()).toMatchObject({ unanswered: 0, bufferedBytes: 0 });

      const next = client.publish('c', 'next');
      const again = await fixture.hub.welcome();
      expect(decodeText((await again.takePublish(1)).payload)).toBe('next');
      await next;
      expect(client.stats().reconnects).toBe(1);
    },
  );
});

describe('a message above the limit of the buffer', () => {
  const bufferBytesMax = 1_000;
  const long = 'x'.repeat(5 * bufferBytesMax);

  test('is sent when nothing is buffered, and later ones are rejected until it has left', async () => {
    const [client, session] = await fixture.open({ bufferBytesMax });
    const positions = [client.publish('c', long)];
    expect(await failure(client.publish('c', 'behind it'))).toMatchObject({ code: 'hub_unavailable' });
    expect((await session.takePublish(1)).payload.length).toBe(long.length);
    await positions[0];
    positions.push(client.publish('c', 'next'), client.publish('c', long));
    expect(decodeText((await session.takePublish(2)).payload)).toBe('next');
    expect((await session.takePublish(3)).payload.length).toBe(long.length);
    expect((await Promise.all(positions)).map(({ offset }) => offset)).toEqual([1, 2, 3]);
  });

  test('waits alone while disconnected', async () => {
    const client = fixture.client({ bufferBytesMax });
    const held = client.publish('c', long);
    expect(await failure(client.publish('c', ''))).toMatchObject({ code: 'hub_unavailable' });
    client.connect();
    const session = await fixture.hub.welcome();
    expect((await session.takePublish(1)).payload.length).toBe(long.length);
    await held;
  });

  test('is rejected where the limit is 0', async () => {
    const client = fixture.client({ bufferBytesMax: 0 });
    const states = statesOf(client);
    expect(await failure(client.publish('c', ''))).toMatchObject({ code: 'hub_unavailable' });
    client.connect();
    const session = await fixture.hub.welcome();
    await nextState(states, 'open');
    const next = client.publish('c', 'x');
    await session.takePublish(1);
    await next;
  });
});

describe('publish while disconnected', () => {
  test('is buffered, and sent in order after the subscriptions', async () => {
    const [client, session] = await fixture.open();
    const states = statesOf(client);
    const recorder = new Recorder();
    client.subscribe('c', recorder);
    await session.takeSubscribe();
    session.raw.end();
    await nextState(states, 'waiting');

    const positions = [1, 2, 3].map((number) => client.publish('c', `${number}`));
    client.publishWithAnswer('c', '4', {}, undefined);
    client.subscribe('d', recorder);
    expect(client.stats().bufferedBytes).toBeGreaterThan(0);

    const again = await fixture.hub.welcome();
    const { subjects } = await again.takeSubscribe();
    expect(subjects.map(({ name }) => name)).toEqual(['c', 'd']);
    for (const offset of [1, 2, 3]) {
      expect(decodeText((await again.takePublish(offset)).payload)).toBe(`${offset}`);
    }
    expect(decodeText((await again.expect('publish')).publication.payload)).toBe('4');
    expect((await Promise.all(positions)).map(({ offset }) => offset)).toEqual([1, 2, 3]);
    expect(client.stats()).toMatchObject({ bufferedBytes: 0, published: 4 });
  });

  test('is buffered before the first connection too, and during the handshake', async () => {
    const client = fixture.client();
    const first = client.publish('c', 'idle');
    client.connect();
    const session = await fixture.hub.accept();
    await session.expect('hello');
    const second = client.publish('c', 'authenticating');
    expect(client.state).toBe('authenticating');
    session.welcome();
    expect(decodeText((await session.takePublish(1)).payload)).toBe('idle');
    expect(decodeText((await session.takePublish(2)).payload)).toBe('authenticating');
    await Promise.all([first, second]);
  });

  test('is rejected when the buffer is full, and what was buffered is still sent', async () => {
    const frameBytes = native.PUBLICATION_HEADER_BYTES + 1 + 100;
    const client = fixture.client({ bufferBytesMax: 2 * frameBytes });
    const text = 'x'.repeat(100);
    const kept = [client.publish('c', text), client.publish('c', text)];
    expect((await failure(client.publish('c', ''))).code).toBe('hub_unavailable');
    expect(client.stats().bufferedBytes).toBe(2 * frameBytes);
    client.connect();
    const session = await fixture.hub.welcome();
    await session.takePublish(1);
    await session.takePublish(2);
    await Promise.all(kept);
    expect(session.received.rest).toEqual([]);
  });

  test('is rejected after its time limit, and never sent', async () => {
    const client = fixture.client({ bufferMs: 20 });
    const states = statesOf(client);
    client.connect();
    const session = await fixture.hub.accept();
    const error = await failure(client.publish('c', 'too late'));
    expect(error.code).toBe('hub_unavailable');
    expect(client.stats().bufferedBytes).toBe(0);
    await session.expect('hello');
    session.welcome();
    await nextState(states, 'open');
    const next = client.publish('c', 'in time');
    expect(decodeText((await session.takePublish(1)).payload)).toBe('in time');
    await next;
  });
});

describe('an invalid publish', () => {
  test('is rejected without a request when its frame is above the limit of the hub', async () => {
    const [client, session] = await fixture.open({}, { frameBytesMax: 1_000 });
    const payload = (frameBytes: number): string =>
      'x'.repeat(frameBytes - native.PUBLICATION_HEADER_BYTES - 'c'.length);
    expect(await failure(client.publish('c', payload(1_001)))).toMatchObject({ code: 'bad_length' });
    const longest = client.publish('c', payload(1_000));
    expect((await session.takePublish(1)).payload.length).toBe(payload(1_000).length);
    await longest;
  });

  test('is rejected when it was buffered for a hub that turns out to have a lower limit', async () => {
    const client = fixture.client();
    const events = new EventQueue<string>('answer');
    const note = (name: string, failed = (_: ProtocolError): void => {}): PublishAnswer => ({
      accepted: ({ offset }) => events.push(`${name} at ${offset}`),
      failed: (error) => {
        events.push(`${name} ${error.code}`);
        failed(error);
      },
    });
    // Callbacks must find an open client, whatever they do.
    const recorder = new Recorder();
    const react = (): void => {
      client.subscribe('reaction', recorder);
      client.publishWithAnswer('c', 'reaction', {}, note('reaction'));
    };
    client.publishWithAnswer('c', 'x'.repeat(1_000), {}, note('long', react));
    client.publishWithAnswer('c', 'short', {}, note('short'));
    client.connect();
    const session = await fixture.hub.welcome({ frameBytesMax: 1_000 });
    expect(decodeText((await session.takePublish(1)).payload)).toBe('short');
    await session.takeSubscribe(5);
    expect(decodeText((await session.takePublish(2)).payload)).toBe('reaction');
    expect(await recorder.events.next()).toBe('at reaction 5');
    await events.seen((event) => event === 'reaction at 2');
    expect(events.all).toEqual(['long bad_length', 'short at 1', 'reaction at 2']);
  });

  test('is rejected without a request when a name is above the limit of the wire', async () => {
    const [client, session] = await fixture.open();
    expect((await failure(client.publish('', 'x'))).code).toBe('bad_channel');
    expect((await failure(client.publish('a\nb', 'x'))).code).toBe('bad_channel');
    expect((await failure(client.publish('é'.repeat(161), 'x'))).code).toBe('bad_channel');
    const long = 'é'.repeat(128);
    expect((await failure(client.publish('c', 'x', { sender: long }))).code).toBe('bad_field');
    expect((await failure(client.publish('c', 'x', { messageId: long }))).code).toBe('bad_field');
    expect((await failure(client.publish('c', 'x', { sender: '\ud800' }))).code).toBe('bad_field');
    const next = client.publish('c', 'next');
    expect(decodeText((await session.takePublish(1)).payload)).toBe('next');
    await next;
  });

  test('is rejected once the client is closed', async () => {
    const [client] = await fixture.open();
    client.close();
    expect((await failure(client.publish('c', 'x'))).code).toBe('hub_unavailable');
  });
});

describe('a hub that does not keep up', () => {
  test('publishes above unansweredMax are rejected until one is answered', async () => {
    const [client, session] = await fixture.open({ unansweredMax: 2 });
    const positions = [client.publish('c', 'a'), client.publish('c', 'b')];
    expect(await failure(client.publish('c', 'c'))).toMatchObject({ code: 'hub_unavailable' });
    await session.takePublish(1);
    expect(await positions[0]).toEqual({ epoch: EPOCH, offset: 1 });
    const next = client.publish('c', 'd');
    await session.takePublish(2);
    await session.takePublish(3);
    expect(await next).toEqual({ epoch: EPOCH, offset: 3 });
    expect(client.stats()).toMatchObject({ published: 3, rejected: 1, unanswered: 0 });
  });

  test('publishes above the buffer of a hub that does not read are rejected, and the connection stays open', async () => {
    const [client, session] = await fixture.open({ bufferBytesMax: 256 * 1024 });
    session.raw.stopReading();
    const payload = 'x'.repeat(64 * 1024);
    let sent = 0;
    while (client.stats().rejected === 0) {
      client.publishWithAnswer('c', payload, {}, undefined);
      sent += 1;
      // The link writes at the end of a turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(client.state).toBe('open');
    session.raw.resumeReading();
    for (let count = 1; count < sent; count++) await session.expect('publish');
    const position = client.publish('c', 'after');
    await session.takePublish(7);
    expect(await position).toEqual({ epoch: EPOCH, offset: 7 });
  });

  test('publishes while the hub shuts down are buffered for the next connection, and not lost with this one', async () => {
    const [client, session] = await fixture.open({ bufferBytesMax: 256 * 1024 });
    session.raw.stopReading();
    while (client.stats().rejected === 0) {
      client.publishWithAnswer('c', 'x'.repeat(64 * 1024), {}, undefined);
      await new Promise((resolve) => setImmediate(resolve));
    }
    session.raw.end();
    // The hub does not read, so that the connection stays half closed for a while.
    let stateThen: string | undefined;
    await until(() => {
      client.publishWithAnswer('c', 'late', {}, undefined);
      stateThen = client.state;
      return client.stats().bufferedBytes > 0;
    }, 'a publish that is held');
    expect(stateThen).toBe('open');
    const next = await fixture.hub.welcome();
    expect(decodeText((await next.expect('publish')).publication.payload)).toBe('late');
  });
});

describe('the cause of a failure', () => {
  test('is the end of the connection for a publish that was sent', async () => {
    const [client, session] = await fixture.open();
    const publish = failure(client.publish('a', 'x'));
    const enqueue = client.enqueue('jobs', 'x').catch((error: ProtocolError) => error);
    await session.expect('publish');
    session.raw.reset();
    const cause = expect.objectContaining({ name: 'ProtocolError', code: 'hub_unavailable' });
    expect(await publish).toMatchObject({ code: 'outcome_unknown', cause });
    expect(await enqueue).toMatchObject({ code: 'outcome_unknown', cause });
  });

  test('is the failed connect for a publish that was buffered in vain', async () => {
    const client = fixture.client({ bufferMs: 40, bufferBytesMax: 100, publishMs: 40 });
    const states = statesOf(client);
    client.connect();
    const session = await fixture.hub.accept();
    await session.expect('hello');
    session.send(native.encodeError({ request: 0, code: 'unauthorized', message: 'No.' }));
    const { error: cause } = await nextState(states, 'waiting');
    expect(cause).toMatchObject({ code: 'unauthorized' });
    const since = { epoch: EPOCH, offset: 0 };
    const held = [
      failure(client.publish('a', 'x')),
      client.enqueue('jobs', 'x').catch((error: unknown) => error),
      new Promise((page, failed) => client.history('a', since, { page, failed })).catch((error) => error),
      failure(client.publish('a', 'x'.repeat(101))),
    ];
    for (const error of await Promise.all(held))
      expect(error).toMatchObject({ code: 'hub_unavailable', cause: { code: 'unauthorized' } });
  });

  test('is not that of an earlier failure: a connected hub that does not answer gives none', async () => {
    const [client, session] = await fixture.open({ publishMs: 40 });
    session.raw.reset();
    await fixture.hub.welcome();
    const states = statesOf(client);
    if (client.state !== 'open') await nextState(states, 'open');
    const { code, cause } = await failure(client.publish('a', 'x'));
    expect({ code, cause }).toEqual({ code: 'outcome_unknown', cause: undefined });
  });
});
