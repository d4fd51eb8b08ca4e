import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { outcomeOf, reconnect, settled, startClient, startConnected } from '../testing/start-client.ts';

/** Time within which a message is sent again that was rejected for now. */
const RETRIED_MS = 5_000;

const AT_5 = { epoch: 'e', offset: 5 };

/** An object without a text: a template literal with it throws. */
const unprintable = { toString: 1, valueOf: 1 };

const nonsense = fc.oneof(
  fc.constantFrom(undefined, null, '', 'g', 'e', -1, 1.5, 1, 2, 5, 7, true, [], {}, unprintable),
  fc.jsonValue(),
);

/** Events of a known type with any fields. */
const event = fc.record({
  type: fc.constantFrom('message', 'ack', 'gap', 'error'),
  id: nonsense,
  group_id: fc.oneof(fc.constant('g'), nonsense),
  epoch: fc.oneof(fc.constant('e'), nonsense),
  offset: fc.oneof(fc.integer({ min: -1, max: 50 }), nonsense),
  recovered: nonsense,
  reason: nonsense,
  code: fc.oneof(fc.constantFrom('forbidden', 'hub_unavailable'), nonsense),
  message: nonsense,
  from: nonsense,
});

describe('after any events with invalid fields,', () => {
  test('the client joins, sends and receives', async () => {
    const { client, network } = startConnected();
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 30 }), async (events) => {
        const group = client.group('g');
        const heard: unknown[] = [];
        const off = group.on('message', ({ epoch, offset }) => heard.push(`${epoch}/${offset}`));
        outcomeOf(group.join());
        outcomeOf(group.joinWithState(() => {}));
        outcomeOf(group.send('one', { excludeSelf: true }));
        outcomeOf(group[Symbol.asyncIterator]().next());
        for (const each of events) network.socket.receive(each as never);
        await settled();
        void group.leave({ all: true });
        reconnect(network);
        heard.length = 0;
        const joined = outcomeOf(group.join());
        const sent = outcomeOf(group.send('two'));
        // A message that was rejected for now is sent again later, and the next one waits for it.
        vi.advanceTimersByTime(RETRIED_MS);
        for (const command of [...network.socket.sent]) network.socket.ack(AT_5, command);
        network.socket.receive({ type: 'message', group_id: 'g', offset: 6, message: 'hi' });
        await settled();
        expect([joined.value, sent.value, heard]).toEqual([{ position: AT_5 }, AT_5, ['e/6']]);
        void group.leave({ all: true });
        off();
        reconnect(network);
      }),
      { numRuns: 300 },
    );
  });

  test('the client sends, whatever the limits are', async () => {
    const limit = fc.oneof(nonsense, fc.constantFrom('5', Number.MAX_VALUE, 0));
    const limits = fc.record({
      groups: limit,
      messages_per_second: limit,
      messages_burst: limit,
      bytes_per_second: limit,
      bytes_burst: limit,
    });
    fc.assert(
      fc.property(fc.oneof(limits, nonsense), nonsense, (given, clientId) => {
        const { client, network } = startClient();
        network.socket.welcome({ limits: given as never, client_id: clientId as never });
        outcomeOf(client.group('g').send('hi'));
        expect(network.socket.sentOf('send_to_group')).toHaveLength(1);
        client.close();
      }),
    );
  });
});

test('an error whose code is not a text is emitted as bad_event', () => {
  const { network, errors } = startConnected();
  network.socket.receive({ type: 'error', code: unprintable, message: unprintable } as never);
  network.socket.receive({ type: 'error', id: 'unknown', code: 'forbidden', message: 'No.' });
  network.socket.receive({ type: 'error', id: 99, code: 'forbidden', message: 'No.' });
  network.socket.receive({ type: 'error', group_id: 'unknown', code: 'forbidden', message: 'No.' });
  expect(errors.map(({ code }) => code)).toEqual(['bad_event', 'forbidden']);
});

test('a rejection without a code leaves the outcome unknown', async () => {
  const { client, network } = startConnected();
  const sent = outcomeOf(client.group('g').send('hi'));
  network.socket.receive({ type: 'error', id: 1, code: 5, message: 'No.' } as never);
  await settled();
  expect(sent.error).toMatchObject({ code: 'outcome_unknown', cause: { code: 'bad_event' } });
});

test.each([{}, { epoch: '', offset: 5 }, { epoch: 'e', offset: -1 }])(
  'a gateway that acks a join with %j is not asked again at once',
  (position) => {
    const { client, network } = startConnected();
    vi.spyOn(Math, 'random').mockReturnValue(0.999);
    outcomeOf(client.group('g').join());
    network.socket.ack(position);
    vi.advanceTimersByTime(400);
    expect(network.socket.sent.map(({ cmd }) => cmd)).toEqual(['add_group']);
    vi.advanceTimersByTime(250);
    expect(network.socket.sent.map(({ cmd }) => cmd)).toEqual(['add_group', 'leave_group']);
  },
);

test('a recovery from another epoch is a gap', () => {
  const { client, network } = startConnected();
  const group = client.group('g');
  const gaps: unknown[] = [];
  group.on('gap', (gap) => gaps.push(gap));
  outcomeOf(group.join({ since: AT_5 }));
  network.socket.ack({ epoch: 'f', offset: 2, recovered: true });
  const position = { epoch: 'f', offset: 2 };
  expect(gaps).toEqual([{ reason: 'epoch_changed', position }]);
  expect(group.position).toEqual(position);
});
