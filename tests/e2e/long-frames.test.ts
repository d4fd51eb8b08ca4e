import { once } from 'node:events';
import { createHub, type HubOptionsInput } from '@groupcast/hub';
import { HubClient, type HubClientOptionsInput } from '@groupcast/hub-client';
import { EventQueue, killAll, startGateway, startHub, TestClient } from '@groupcast/testkit';
import { afterEach, describe, expect, test } from 'vitest';

const MIB = 1024 * 1024;
const LONG = 'x'.repeat(12 * MIB);

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await killAll();
});

async function listen(options: HubOptionsInput): Promise<number> {
  const hub = createHub({ port: 0, ...options });
  cleanups.push(() => hub.close());
  return (await hub.listen()).port;
}

function clientOf(options: HubClientOptionsInput): HubClient {
  const client = new HubClient(options);
  cleanups.push(() => client.close());
  client.connect();
  return client;
}

async function opened(client: HubClient): Promise<void> {
  while (client.state !== 'open') await once(client, 'state');
}

describe('a hub that accepts frames of 32 MiB', () => {
  test('delivers one of 12 MiB over open links', async () => {
    const port = await listen({ frameBytesMax: 32 * MIB });
    const follower = clientOf({ port });
    const events = new EventQueue<string>('event');
    follower.on('state', (state) => {
      if (state === 'waiting') events.push('the link broke');
    });
    follower.subscribe('c', {
      subscribed: () => events.push('subscribed'),
      deliver: ({ payload }) => events.push(`${payload.length} bytes`),
    });
    expect(await events.next()).toBe('subscribed');
    const publisher = clientOf({ port });
    await opened(publisher);
    expect(await publisher.publish('c', LONG)).toMatchObject({ offset: 1 });
    expect(await events.next()).toBe(`${LONG.length} bytes`);
    expect(follower.stats().reconnects).toBe(0);
  });

  test('delivers it to the members of a gateway, whose link stays', async () => {
    const hub = await startHub({ frameBytesMax: 32 * MIB });
    const gateway = await startGateway({ hub: hub.address, workers: 1 });
    const member = await TestClient.open(gateway.url, { protocol: 'groupcast.v1' });
    member.sendCommand({ cmd: 'add_group', group_id: 'g', id: 1 });
    await member.reply(1);
    const program = clientOf({ port: Number(hub.address.split(':').at(-1)) });
    await opened(program);
    await program.publish('group:g', LONG);
    await program.publish('group:g', 'next');
    const isMessage = ({ json }: { json: Record<string, unknown> | undefined }) =>
      json?.['type'] === 'message';
    expect((await member.nextMatching(isMessage)).json?.['message']).toHaveLength(LONG.length);
    expect((await member.nextMatching(isMessage)).json).toMatchObject({ message: 'next' });
  });

  test('is rejected at its welcome by a client with a lower limit, with an error that names the option', async () => {
    const port = await listen({ frameBytesMax: 32 * MIB });
    const client = clientOf({ port, link: { frameBytesMax: 16 * MIB } });
    const error = await new Promise((resolve) => {
      client.on('state', (state, cause) => {
        if (state === 'open' || state === 'waiting') resolve(cause);
      });
    });
    expect(error).toMatchObject({
      code: 'bad_length',
      message: expect.stringMatching(/33554432.*link\.frameBytesMax.*16777216.*--frame-bytes-max/),
    });
  });
});
