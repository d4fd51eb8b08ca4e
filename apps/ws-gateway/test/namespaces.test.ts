import { limits } from '@groupcast/protocol';
import type { Namespace } from '@groupcast/protocol/schema';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type StartedGateway, startGateway } from '../testing/start-gateway.ts';
import { TestClient } from '../testing/test-client.ts';

let started: StartedGateway;
let client: TestClient;

beforeEach(async () => {
  started = await startGateway();
  // From the next connection to the hub on.
  set([]);
  started.hub.comeBack();
  client = await TestClient.v1(started.url);
});

afterEach(() => started.gateway.close());

function set(namespaces: readonly Namespace[]): void {
  started.hub.set(limits.CONFIG_CHANNEL, limits.NAMESPACES_KEY, JSON.stringify(namespaces));
}

function send(message: unknown, id: number, fields: object = {}): Promise<unknown> {
  return client.ask({ cmd: 'send_to_group', group_id: 'g', message, id, ...fields });
}

const STORED = { type: 'ack', offset: expect.any(Number) };

describe('the namespace of a group', () => {
  test('limits the length of messages, in bytes of what members get', async () => {
    set([{ prefix: 'g', message_bytes_max: 6 }]);
    expect(await send('\u3053\u308c', 1)).toMatchObject(STORED);
    // Twelve bytes in the command.
    client.send('{"cmd":"send_to_group","group_id":"g","message":"\\u3053\\u308c","id":2}');
    expect(await client.event()).toMatchObject(STORED);
    expect(await send('\u3053\u308c!', 3)).toEqual({
      type: 'error',
      id: 3,
      code: 'bad_field',
      message: 'message has 7 bytes; the limit of this group is 6. Send a shorter one.',
    });
    expect(
      await client.ask({ cmd: 'send_to_group', group_id: 'other', message: '1234567', id: 4 }),
    ).toMatchObject(STORED);
    expect(started.gateway.stats()).toMatchObject({ published: 3, rejected: { bad_field: 1 } });
  });

  test('limits the messages of a group per second, which counts for no close', async () => {
    set([{ prefix: '', publish_per_second: 0.001 }]);
    expect(await send('a', 1)).toMatchObject(STORED);
    for (let id = 2; id <= 20; id++) {
      expect(await send('b', id)).toEqual({
        type: 'error',
        id,
        code: 'rate_limited',
        message: "The group's message rate limit, shared by all senders, is reached. Send more slowly.",
      });
    }
    expect(await client.ask({ cmd: 'send_to_group', group_id: 'h', message: 'a', id: 21 })).toMatchObject(
      STORED,
    );
  });

  test('makes messages ephemeral, whatever the command says', async () => {
    set([{ prefix: 'g', ephemeral: true }]);
    await client.ask({ cmd: 'add_group', group_id: 'g', id: 1 });
    for (const fields of [
      {},
      { store: true },
      { store: false },
      { message_id: 'm1' },
      { message_id: 'm1' },
    ]) {
      const message = { type: 'message', group_id: 'g', message: 'a', from: expect.anything() };
      expect(await send('a', 2, fields)).toEqual(message);
      expect(await client.event()).toEqual({ type: 'ack', id: 2, group_id: 'g', stored: false });
    }
    set([]);
    expect(await send('a', 3)).toMatchObject({ type: 'message', offset: 1 });
  });

  test('grants nothing and takes nothing away without tokens', async () => {
    set([{ prefix: '', allow: { users: [], anonymous: [] } }]);
    expect(await client.ask({ cmd: 'add_group', group_id: 'g', id: 1 })).toMatchObject({ type: 'ack' });
    expect(await send('a', 2)).toMatchObject({ type: 'message' });
  });
});

test('a hub without namespaces is asked once, and is left alone', () => {
  expect(started.hub.keyedMaps(limits.CONFIG_CHANNEL)).toBe(1);
});
