import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { HubClient } from '@groupcast/hub-client';
import { killAll, startHub, TcpProxy, until } from '@groupcast/testkit';
import { afterAll, describe, expect, test } from 'vitest';
import { bytesOf, takeEvents } from './events-of.ts';
import { runPhp, startPhp, startSubscriber, withoutPhp } from './start-php.ts';

describe.skipIf(withoutPhp)('PHP programs that only publish', () => {
  afterAll(killAll);

  test('publishLoop is round-robin over the subscribers, and messages before the end are not lost', async () => {
    const hub = await startHub();
    const count = 3_000;
    const subscribers = [];
    for (let left = 3; left > 0; left--) {
      subscribers.push(await startSubscriber('subscribe', hub.port, 'hex', 'turn'));
    }
    await runPhp('publish-in-turn', hub.port, 'turn', count);
    const seen = await Promise.all(subscribers.map((child) => takeEvents(child, 'turn', count / 3)));
    for (const [index, data] of seen.entries()) {
      const expected = data.map((_, round) => `i:${round * 3 + index};`);
      expect(data.map(bytesOf)).toEqual(expected);
    }
  });

  test('many that write and exit at once lose no message', async () => {
    const hub = await startHub();
    const subscriber = await startSubscriber('subscribe', hub.port, 'hex', 'send_to_group');
    const texts = Array.from({ length: 20 }, (_, index) => `message ${index}`);
    await Promise.all(texts.map((text) => runPhp('send-to-group', hub.port, '1', text, `${text} again`)));
    const data = (await takeEvents(subscriber, 'send_to_group', 2 * texts.length)).map(bytesOf);
    for (const text of texts) expect(data.filter((one) => one.includes(`"${text}"`))).toHaveLength(1);
  });

  test('a silent one is not closed, unlike a gateway', async () => {
    const hub = await startHub({ heartbeatSeconds: 1 });
    const control = createServer().listen(0, '127.0.0.1');
    await once(control, 'listening');
    const subscriber = await startSubscriber('subscribe', hub.port, 'hex', 'words');
    const accepted = once(control, 'connection');
    startPhp('silent-publisher', hub.port, 'words', (control.address() as AddressInfo).port);
    const [socket] = (await accepted) as [Socket];
    socket.write('before\n');
    expect((await takeEvents(subscriber, 'words', 1)).map(bytesOf)).toEqual(['s:6:"before";']);

    // The end of a peer at this moment shows whether the hub has waited for long enough.
    const proxy = await TcpProxy.start({ target: hub.port });
    const peer = new HubClient({ port: proxy.port });
    peer.connect();
    await until(() => peer.state === 'open', 'a link to the hub');
    proxy.blackhole(['up']);
    const closedSilent = async () => ((await hub.stats())['closed'] as Record<string, number>)['silent'];
    await until(closedSilent, 'the end of a silent gateway', (count) => count === 1);
    peer.close();

    socket.write('after\n');
    expect((await takeEvents(subscriber, 'words', 1)).map(bytesOf)).toEqual(['s:5:"after";']);
    socket.destroy();
    control.close();
    await proxy.close();
  });
});
