import { afterEach, beforeEach, expect, test } from 'vitest';
import { GroupcastClient } from '../src/index.ts';
import { FakeNetwork } from '../testing/fake-socket.ts';

const unhandled: unknown[] = [];
const hear = (error: unknown): void => {
  unhandled.push(error);
};
const others = process.listeners('unhandledRejection');

beforeEach(() => {
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', hear);
});
afterEach(() => {
  process.off('unhandledRejection', hear);
  for (const listener of others) process.on('unhandledRejection', listener);
});

function start() {
  unhandled.length = 0;
  const network = new FakeNetwork();
  const client = new GroupcastClient('wss://gateway.test', { WebSocket: network.WebSocket });
  network.socket.welcome();
  return { client, network, group: client.group('g') };
}

/** Resolves with the unhandled rejections, when the runtime has reported them. */
async function reported(): Promise<unknown[]> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  return unhandled;
}

test('a join without await can be left, closed and aborted, as the application asked for it', async () => {
  const { client, group } = start();
  void group.join();
  void group.joinWithState(() => {});
  void group.leave({ all: true });
  void group.join();
  void group.leave();
  const controller = new AbortController();
  void group.join({ signal: controller.signal });
  controller.abort();
  void group.join({ signal: controller.signal });
  void group.send('x', { signal: controller.signal });
  void group.join();
  client.close();
  expect(await reported()).toEqual([]);
});

test('an awaited join rejects', async () => {
  const { client, group } = start();
  const left = group.join();
  void group.leave();
  await expect(left).rejects.toMatchObject({ code: 'left' });
  const closed = group.join();
  client.close();
  await expect(closed).rejects.toMatchObject({ code: 'closed' });
});

test('all other rejections of a join are reported', async () => {
  const { client, network, group } = start();
  void group.join({ since: 'E:5' as never });
  void group.join();
  network.socket.refuse('forbidden');
  void group.join();
  network.socket.end(4500);
  expect(await reported()).toMatchObject([
    { code: 'bad_option' },
    { code: 'forbidden' },
    { code: 'disconnected' },
  ]);
  client.close();
});
