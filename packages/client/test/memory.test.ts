import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, expect, test } from 'vitest';
import { type Group, GroupcastClient, type Message } from '../src/index.ts';
import { FakeNetwork } from '../testing/fake-socket.ts';

const { Bun } = globalThis as { readonly Bun?: { gc(isSynchronous: boolean): void } };
const collectGarbage = Bun === undefined ? exposeGc() : () => Bun.gc(true);

/** Returns the collector of V8, which a context has when it is made after the flag is set. */
function exposeGc(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc');
}

let client: GroupcastClient;
let network: FakeNetwork;

function start(): void {
  network = new FakeNetwork();
  client = new GroupcastClient('wss://gateway.test', { WebSocket: network.WebSocket });
  network.socket.welcome();
}
afterEach(() => client.close());

/** Uses a group in a function of its own, so that no variable here holds it afterwards. */
function used(use: (group: Group) => void): WeakRef<Group> {
  const group = client.group('g');
  use(group);
  return new WeakRef(group);
}

/** Returns whether the group is collected, after more collections than an unused one survives. */
async function isCollected(group: WeakRef<Group>): Promise<boolean> {
  for (let turn = 0; turn < 10; turn += 1) {
    // A WeakRef holds its object until the end of the event-loop turn that has read it.
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
  }
  return group.deref() === undefined;
}

function receive(offset: number): void {
  network.socket.receive({ type: 'message', group_id: 'g', offset, message: `m${offset}` });
}

test('a listener survives collections, and receives messages of a join by another user', async () => {
  start();
  const heard: unknown[] = [];
  const group = used((group) => group.on('message', ({ offset }) => heard.push(offset)));
  expect(await isCollected(group)).toBe(false);
  void client.group('g').join();
  network.socket.ack({ epoch: 'e', offset: 5 });
  receive(6);
  expect(heard).toEqual([6]);
});

test('a group that is joined stays the same object', async () => {
  start();
  const group = used((group) => void group.join());
  network.socket.ack({ epoch: 'e', offset: 5 });
  expect(await isCollected(group)).toBe(false);
  expect(client.group('g')).toBe(group.deref());
});

test('a group with an iteration stays the same object', async () => {
  start();
  const read: Message[] = [];
  const group = used((group) => {
    void (async () => {
      for await (const message of group) read.push(message);
    })();
  });
  network.socket.ack({ epoch: 'e', offset: 5 });
  expect(await isCollected(group)).toBe(false);
  receive(6);
  await new Promise((resolve) => setImmediate(resolve));
  expect(read.map(({ offset }) => offset)).toEqual([6]);
});

test('a left group without listeners and iterations is collected', async () => {
  start();
  const group = used((group) => {
    const off = group.on('message', () => {});
    group.once('joined', () => {});
    void group.join();
    network.socket.ack({ epoch: 'e', offset: 5 });
    void group[Symbol.asyncIterator]().return(undefined);
    off();
    void group.leave();
  });
  network.socket.ack({});
  expect(await isCollected(group)).toBe(true);
  expect(client.group('g').state).toBe('left');
});

test('a group that was left for all users without a connection is collected', async () => {
  start();
  client.suspend();
  const group = used((group) => {
    group[Symbol.asyncIterator]();
    void group.leave({ all: true });
  });
  expect(await isCollected(group)).toBe(true);
});
