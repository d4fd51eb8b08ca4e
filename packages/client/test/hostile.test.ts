import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { GroupcastClient } from '../src/index.ts';
import { FakeNetwork } from '../testing/fake-socket.ts';
import { outcomeOf, settled } from '../testing/start-client.ts';

/** Values of fields, valid ones and ones that break unchecked code. */
const value = fc.oneof(
  fc.constantFrom('g', 'e', 'trimmed', '', 0, 1, 2, 5, -1, 1e300, true, false, null, 4500, 1012),
  fc.constantFrom({ toString: 1, valueOf: null }, { epoch: 5, offset: 'x' }, [], ['a'], { length: 1e9 }),
  fc.jsonValue({ maxDepth: 2 }),
);

const event = fc.record(
  {
    type: fc.oneof(
      fc.constantFrom('welcome', 'message', 'ack', 'error', 'gap', 'disconnect', 'ping'),
      fc.constantFrom('__proto__', 'constructor', 'weather', 5),
    ),
    id: value,
    group_id: fc.oneof(fc.constant('g'), value),
    epoch: fc.oneof(fc.constant('e'), value),
    offset: value,
    message: value,
    from: value,
    recovered: value,
    reason: value,
    code: value,
    client_id: value,
    session: value,
    heartbeat: fc.oneof(fc.record({ interval_ms: value, timeout_ms: value }), value),
    limits: fc.oneof(fc.record({ groups: value, messages_per_second: value, messages_burst: value }), value),
    reconnect: value,
    reconnect_after_ms: value,
  },
  { requiredKeys: ['type'] },
);

const data = fc.oneof(
  { weight: 8, arbitrary: event.map((fields) => JSON.stringify(fields)) },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.oneof(fc.string(), fc.uint8Array(), fc.constant(undefined)) },
);

test('after any malformed message the client is either closed or works', async () => {
  vi.useFakeTimers();
  let survived = 0;
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(data, { maxLength: 12 }), fc.nat(3), async (messages, welcomeAt) => {
        vi.clearAllTimers();
        const network = new FakeNetwork();
        const client = new GroupcastClient('ws://hostile', { WebSocket: network.WebSocket });
        const group = client.group('g');
        void group.join().catch(() => {});
        for (const [at, message] of messages.entries()) {
          if (at === welcomeAt) network.socket.welcome();
          network.socket.receiveData(message);
          await settled();
        }
        // The gateway may close for good.
        if (client.state !== 'closed') {
          survived += 1;
          client.reconnect();
          vi.advanceTimersByTime(0);
          network.socket.welcome();
          expect(client.state).toBe('open');
          const joined = outcomeOf(client.group('h').join());
          await vi.advanceTimersByTimeAsync(1_000);
          const join = network.socket.sentOf('add_group').find(({ group_id }) => group_id === 'h');
          network.socket.ack({ epoch: 'e', offset: 7 }, join);
          await settled();
          expect(joined.value).toEqual({ position: { epoch: 'e', offset: 7 } });
          const heard: unknown[] = [];
          client.group('h').on('message', ({ message }) => heard.push(message));
          network.socket.receive({ type: 'message', group_id: 'h', offset: 8, message: 'hi' });
          expect(heard).toEqual(['hi']);
        }
        client.close();
        expect(vi.getTimerCount()).toBe(0);
      }),
      { numRuns: 1_000 },
    );
  } finally {
    vi.useRealTimers();
  }
  expect(survived).toBeGreaterThan(300);
});
