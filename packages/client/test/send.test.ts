import { describe, expect, test, vi } from 'vitest';
import { outcomeOf, reconnect, settled, startClient, startConnected } from '../testing/start-client.ts';

const AT = { epoch: 'e', offset: 7 };

describe('send', () => {
  test('resolves with the position', async () => {
    const { client, network } = startConnected();
    const sent = client.group(123).send('hi');
    expect(network.socket.sent).toEqual([
      {
        cmd: 'send_to_group',
        id: 1,
        group_id: '123',
        message: 'hi',
        message_id: expect.any(String),
        exclude_self: false,
      },
    ]);
    network.socket.ack(AT);
    expect(await sent).toEqual(AT);
  });

  test('gives every message a unique id, unless the application sets one', () => {
    const { client, network } = startConnected();
    const group = client.group('1');
    for (const options of [{}, {}, { messageId: 'mine', excludeSelf: true }])
      void group.send('', options).catch(() => {});
    const [first, second, third] = network.socket.sentOf('send_to_group');
    expect(first?.message_id).not.toBe(second?.message_id);
    expect(first?.message_id).toMatch(/^\d+-\d+-\d+-\d+-1$/);
    expect(third).toMatchObject({ message_id: 'mine', exclude_self: true });
  });

  test('waits for the connection, and keeps the order', () => {
    const { client, network } = startClient();
    for (const text of ['1', '2', '3'])
      void client
        .group('g')
        .send(text)
        .catch(() => {});
    expect(network.socket.sent).toEqual([]);
    network.socket.welcome();
    expect(network.socket.sentOf('send_to_group').map(({ message }) => message)).toEqual(['1', '2', '3']);
  });

  test.each([
    ['half a surrogate pair', 'a\ud800', {}],
    ['undefined', undefined as never, {}],
    ['a function', (() => {}) as never, {}],
    ['an empty messageId', 'a', { messageId: '' }],
    ['a messageId that is too long', 'a', { messageId: 'é'.repeat(65) }],
  ])('rejects %s without a command', async (_what, message, options) => {
    const { client, network } = startConnected();
    await expect(client.group('1').send(message, options)).rejects.toMatchObject({ code: 'bad_field' });
    expect(network.socket.sent).toEqual([]);
  });

  test('sends any JSON value as its text at the time of the call', () => {
    const { client, network } = startClient();
    const order = { id: 7, items: ['a', null, true] };
    for (const value of ['"', 5, null, false, order])
      void client
        .group('g')
        .send(value)
        .catch(() => {});
    order.items.length = 0;
    network.socket.welcome();
    const texts = network.socket.sentOf('send_to_group').map(({ message }) => message);
    expect(texts).toEqual(['"', '5', 'null', 'false', '{"id":7,"items":["a",null,true]}']);
  });

  test('rejects a value without a JSON text, with the cause', async () => {
    const { client, network } = startConnected();
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    for (const value of [cyclic, 5n]) {
      const rejection = { code: 'bad_option', cause: expect.any(TypeError) };
      await expect(client.group('g').send(value as never)).rejects.toMatchObject(rejection);
    }
    expect(network.socket.sent).toEqual([]);
  });

  test('rejects a message above the limit of the gateway, also when the limit is lowered later', async () => {
    const { client, network } = startClient();
    const group = client.group('1');
    const early = outcomeOf(group.send('x'.repeat(1_000)));
    network.socket.welcome({
      limits: { message_bytes: 1_000, groups: 1, messages_per_second: 100, messages_burst: 100 },
    });
    const late = outcomeOf(group.send('é'.repeat(500)));
    void group.send('x').catch(() => {});
    await settled();
    expect([early.error?.code, late.error?.code]).toEqual(['message_too_big', 'message_too_big']);
    expect(network.socket.sent).toHaveLength(1);
  });
});

describe('an unanswered message', () => {
  test('is sent again after a lost connection, under its id and in order, and once', async () => {
    const { client, network } = startConnected();
    const group = client.group('g');
    const outcomes = ['1', '2', '3'].map((text) => outcomeOf(group.send(text)));
    const before = network.socket.sentOf('send_to_group');
    network.socket.ack(AT, before[1]);
    reconnect(network);
    const after = network.socket.sentOf('send_to_group');
    expect(after.map(({ message_id }) => message_id)).toEqual([before[0]!.message_id, before[2]!.message_id]);
    for (const command of after) network.socket.ack(AT, command);
    await settled();
    expect(outcomes).toEqual([{ value: AT }, { value: AT }, { value: AT }]);
    reconnect(network);
    expect(network.socket.sent).toEqual([]);
  });

  test('is sent again after 15 s on an open connection', async () => {
    const { client, network } = startConnected();
    const outcome = outcomeOf(client.group('g').send('hi'));
    for (const _ of [1, 2]) {
      vi.advanceTimersByTime(7_350);
      network.socket.receive({ type: 'ping' });
    }
    expect(network.socket.sentOf('send_to_group')).toHaveLength(1);
    // Not later, at any time of the send between two sweeps.
    vi.advanceTimersByTime(300);
    const [first, second] = network.socket.sentOf('send_to_group');
    expect(second).toEqual({ ...first, id: 2 });
    // The answer to the first is late and ignored: the client waits for the second.
    network.socket.ack(AT, first);
    network.socket.ack(AT, second);
    await settled();
    expect(outcome).toEqual({ value: AT });
  });

  test('an ack without a position does not answer it', async () => {
    const { client, network } = startConnected();
    const outcome = outcomeOf(client.group('g').send('hi'));
    network.socket.ack({});
    expect(network.socket.sentOf('send_to_group')).toHaveLength(2);
    network.socket.ack({ epoch: 'e', offset: 1.5 } as never);
    network.socket.ack(AT);
    await settled();
    expect(outcome).toEqual({ value: AT });
  });

  test('that may have been published is not sent again under another client id', async () => {
    const { client, network } = startConnected();
    const group = client.group('g');
    const sent = outcomeOf(group.send('sent'));
    network.socket.end(1006);
    const waiting = outcomeOf(group.send('waiting'));
    reconnect(network, { client_id: 'another' });
    await settled();
    expect(sent.error?.code).toBe('outcome_unknown');
    expect(waiting).toEqual({});
    expect(network.socket.sentOf('send_to_group').map(({ message }) => message)).toEqual(['waiting']);
  });
});

describe('a rejected message', () => {
  test('is not sent again when the rejection is final', async () => {
    const { client, network } = startConnected();
    const sent = client.group('g').send('hi');
    network.socket.refuse('forbidden');
    await expect(sent).rejects.toMatchObject({
      code: 'forbidden',
      message: 'forbidden: Refused with forbidden.',
    });
    vi.advanceTimersByTime(30_000);
    expect(network.socket.sentOf('send_to_group')).toHaveLength(1);
  });

  test.each(['hub_unavailable', 'outcome_unknown', 'rate_limited', 'internal_error'])(
    'with %s is sent again after a while, and those behind it wait',
    async (code) => {
      const { client, network } = startConnected();
      vi.spyOn(Math, 'random').mockReturnValue(0.999);
      const group = client.group('g');
      const first = outcomeOf(group.send('first'));
      network.socket.refuse(code);
      const second = outcomeOf(group.send('second'));
      vi.advanceTimersByTime(400);
      expect(network.socket.sentOf('send_to_group')).toHaveLength(1);
      vi.advanceTimersByTime(250);
      const [refused, again, behind] = network.socket.sentOf('send_to_group');
      expect(again).toEqual({ ...refused, id: 2 });
      network.socket.ack(AT, behind);
      network.socket.ack(AT, again);
      await settled();
      expect([first, second]).toEqual([{ value: AT }, { value: AT }]);
    },
  );

  test.each([
    ['hub_unavailable', 'not_sent'],
    ['rate_limited', 'not_sent'],
    ['outcome_unknown', 'outcome_unknown'],
    ['internal_error', 'outcome_unknown'],
  ])('with %s for a minute rejects with %s', async (code, end) => {
    const { client, network } = startConnected();
    network.socket.onCommand = (command) => queueMicrotask(() => network.socket.refuse(code, command));
    const outcome = outcomeOf(client.group('g').send('hi'));
    for (let second = 0; second < 59; second += 1) {
      network.socket.receive({ type: 'ping' });
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(outcome).toEqual({});
    await vi.advanceTimersByTimeAsync(1_500);
    expect(outcome.error).toMatchObject({ code: end, cause: { code } });
    expect(network.socket.sentOf('send_to_group').length).toBeGreaterThan(5);
  });

  test('rejects with outcome_unknown when its time elapses in flight', async () => {
    const { client, network } = startClient({ sendTimeoutMs: 5_000 });
    const outcome = outcomeOf(client.group('g').send('hi'));
    vi.advanceTimersByTime(4_000);
    network.socket.welcome();
    expect(network.socket.sentOf('send_to_group')).toHaveLength(1);
    vi.advanceTimersByTime(1_250);
    await settled();
    expect(outcome.error?.code).toBe('outcome_unknown');
    network.socket.ack(AT);
    await settled();
    expect(outcome.value).toBeUndefined();
  });

  test('rejects with outcome_unknown when an earlier attempt may have published it', async () => {
    const { client, network } = startConnected();
    const outcome = outcomeOf(client.group('g').send('hi'));
    reconnect(network);
    network.socket.refuse('forbidden');
    await settled();
    expect(outcome.error).toMatchObject({ code: 'outcome_unknown', cause: { code: 'forbidden' } });
  });
});

describe('bounds', () => {
  test('sendQueueMax messages can be unanswered, and one more rejects', async () => {
    const { client, network } = startConnected({ sendQueueMax: 2 });
    const group = client.group('g');
    const [first, second, third] = ['1', '2', '3'].map((text) => outcomeOf(group.send(text)));
    await settled();
    expect(third?.error?.code).toBe('queue_full');
    network.socket.ack(AT);
    await settled();
    expect([first, second]).toEqual([{}, { value: AT }]);
    const fourth = outcomeOf(group.send('4'));
    network.socket.ack(AT);
    await settled();
    expect(fourth).toEqual({ value: AT });
  });

  test('sendQueueBytesMax bytes can be unanswered, and one more message rejects', async () => {
    const { client, network } = startConnected({ sendQueueBytesMax: 3_000 });
    const send = () => outcomeOf(client.group('g').send('x'.repeat(1_000)));
    const outcomes = [send(), send(), send()];
    await settled();
    expect(outcomes.map(({ error }) => error?.code)).toEqual([undefined, undefined, 'queue_full']);
    network.socket.ack(AT);
    const [fits, doesNot] = [send(), send()];
    await settled();
    expect([fits.error, doesNot.error?.code]).toEqual([undefined, 'queue_full']);
  });

  test('bursts stay within the limit of the gateway', () => {
    const { client, network } = startClient();
    for (let count = 0; count < 100; count += 1)
      void client
        .group('g')
        .send(`${count}`)
        .catch(() => {});
    network.socket.welcome({
      limits: { message_bytes: 65_536, groups: 128, messages_per_second: 20, messages_burst: 40 },
    });
    expect(network.socket.sent).toHaveLength(30);
    vi.advanceTimersByTime(1_000);
    expect(network.socket.sent).toHaveLength(45);
    vi.advanceTimersByTime(4_000);
    expect(network.socket.sentOf('send_to_group').map(({ message }) => message)).toEqual(
      Array.from({ length: 100 }, (_, index) => `${index}`),
    );
  });
});

test('long messages stay within the bytes that the gateway allows', () => {
  const { client, network } = startClient();
  for (let count = 0; count < 20; count += 1)
    void client
      .group('g')
      .send('x'.repeat(count === 10 ? 5_000 : 900))
      .catch(() => {});
  const messages = { messages_per_second: 100, messages_burst: 400 };
  const bytes = { bytes_per_second: 1_000, bytes_burst: 4_000 };
  network.socket.welcome({ limits: { message_bytes: 65_536, groups: 128, ...messages, ...bytes } });
  // Three quarters of the burst are 3,000 bytes; a command is about 1,000.
  expect(network.socket.sent).toHaveLength(3);
  vi.advanceTimersByTime(20_000);
  const sent = network.socket.sent.reduce((sum, command) => sum + JSON.stringify(command).length, 0);
  expect(sent).toBeGreaterThan(15_000);
  expect(sent).toBeLessThan(4_000 + 20 * 1_000);
});

/**
 * Sends 300 messages of `bytes` each, and returns the bytes that a gateway with these limits gets
 * at once, and in 10 s.
 */
function bytesSent(bytes: number, limits: { perSecond: number; burst: number; bytesBurst: number }) {
  const { client, network } = startClient({ sendQueueBytesMax: 1e9 });
  for (let count = 0; count < 300; count += 1)
    void client
      .group('g')
      .send('x'.repeat(bytes))
      .catch(() => {});
  const messages = { messages_per_second: limits.perSecond, messages_burst: limits.burst };
  const perSecond = { bytes_per_second: 1_048_576, bytes_burst: limits.bytesBurst };
  network.socket.welcome({ limits: { message_bytes: 65_536, groups: 128, ...messages, ...perSecond } });
  const sum = (): number =>
    network.socket.sent.reduce((total, command) => total + JSON.stringify(command).length, 0);
  const atOnce = sum();
  for (let second = 0; second < 10; second += 1) {
    vi.advanceTimersByTime(1_000);
    network.socket.receive({ type: 'ping' });
  }
  return { atOnce, inTenSeconds: sum() };
}

test.each([
  ['bytes', { perSecond: 1_000, burst: 2_000, bytesBurst: 262_144 }, 262_144],
  ['messages', { perSecond: 100, burst: 2_000, bytesBurst: 8 * 1_048_576 }, 8 * 1_048_576],
])(
  'where the burst of %s is the tighter one, no more bytes are sent than it allows',
  (_what, limits, max) => {
    const { atOnce, inTenSeconds } = bytesSent(60_000, limits);
    expect(atOnce).toBeGreaterThan(max / 2);
    expect(atOnce).toBeLessThan(max);
    expect(inTenSeconds).toBeGreaterThan(max / 2 + 6 * 1_048_576);
    expect(inTenSeconds).toBeLessThan(max + 10 * 1_048_576);
  },
);

test('short messages are paced by their number', () => {
  const limits = { perSecond: 10, burst: 40, bytesBurst: 8 * 1_048_576 };
  const { atOnce, inTenSeconds } = bytesSent(1, limits);
  expect(inTenSeconds / atOnce).toBeGreaterThan(3);
  expect(inTenSeconds / atOnce).toBeLessThan(4);
});

describe('close', () => {
  test('rejects unanswered messages, with outcome_unknown for those in flight', async () => {
    const { client, network } = startConnected();
    const group = client.group('g');
    const underWay = outcomeOf(group.send('under way'));
    network.socket.end(1006);
    const waiting = outcomeOf(group.send('waiting'));
    client.close();
    await settled();
    expect(underWay.error).toMatchObject({ code: 'outcome_unknown', cause: { code: 'closed' } });
    expect(waiting.error).toMatchObject({ code: 'not_sent', cause: { code: 'closed' } });
    await expect(group.send('late')).rejects.toMatchObject({ code: 'closed' });
  });

  test('by the gateway does the same, with its reason', async () => {
    const { client, network } = startConnected();
    const outcome = outcomeOf(client.group('g').send('hi'));
    network.socket.end(4500);
    await settled();
    expect(outcome.error).toMatchObject({ code: 'outcome_unknown', cause: { closeCode: 4500 } });
    await expect(client.group('g').send('late')).rejects.toMatchObject({ closeCode: 4500 });
  });
});
