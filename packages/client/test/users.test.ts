import { describe, expect, test } from 'vitest';
import type { Group, Message } from '../src/index.ts';
import { outcomeOf, settled, startConnected } from '../testing/start-client.ts';

const AT_5 = { epoch: 'e', offset: 5 };

/** Starts a group with several users. Returns the received offsets and the sent commands. */
function start() {
  const started = startConnected();
  const { client, network } = started;
  const group = client.group('g');
  const heard: unknown[] = [];
  group.on('message', ({ offset }) => heard.push(offset));
  const message = (offset: number): void =>
    network.socket.receive({ type: 'message', group_id: 'g', offset, message: `m${offset}` });
  const sent = (): string[] => network.socket.sent.map(({ cmd }) => cmd);
  return { ...started, group, heard, message, sent };
}

/** Reads a group as an effect of a component does. Returns the cleanup. */
function effect(group: Group, handle: (message: Message) => void): () => void {
  const messages = group[Symbol.asyncIterator]();
  void (async () => {
    for await (const message of messages) handle(message);
  })();
  return () => void messages.return(undefined);
}

describe('users of one group', () => {
  test('are counted: the last leave leaves', async () => {
    const { network, group, heard, message, sent } = start();
    const joins = [group.join(), group.join()];
    network.socket.ack(AT_5);
    await Promise.all(joins);
    await group.leave();
    message(6);
    expect([group.state, heard, sent()]).toEqual(['joined', [6], ['add_group']]);
    const left = group.leave();
    message(7);
    network.socket.ack({});
    await left;
    expect([group.state, heard, sent()]).toEqual(['left', [6], ['add_group', 'leave_group']]);
  });

  test('a listener hears the group regardless of who joined it', () => {
    const { client, network, heard, message } = start();
    void client.group('g').join();
    network.socket.ack(AT_5);
    message(6);
    expect(heard).toEqual([6]);
  });

  test('leave with all leaves at once, and needs no further leave', async () => {
    const { network, group, sent } = start();
    const joins = [outcomeOf(group.join()), outcomeOf(group.join())];
    const reading = outcomeOf(group[Symbol.asyncIterator]().next());
    void group.leave({ all: true });
    await settled();
    expect(joins.map(({ error }) => error?.code)).toEqual(['left', 'left']);
    expect(reading.value).toEqual({ done: true, value: undefined });
    network.socket.ack(AT_5);
    network.socket.ack({});
    expect(sent()).toEqual(['add_group', 'leave_group']);
    void group.join().catch(() => {});
    void group.leave();
    expect(group.state).toBe('left');
  });

  test('a leave without a join ends no iteration', async () => {
    const { network, group, message } = start();
    const read: unknown[] = [];
    effect(group, ({ offset }) => read.push(offset));
    network.socket.ack(AT_5);
    await group.leave();
    message(6);
    await settled();
    expect([group.state, read]).toEqual(['joined', [6]]);
  });

  test('a rejected join is undone already', async () => {
    const { network, group } = start();
    const refused = outcomeOf(group.join());
    network.socket.refuse('forbidden');
    await settled();
    expect(refused.error?.code).toBe('forbidden');
    void group.join();
    network.socket.ack(AT_5);
    void group.leave();
    expect(group.state).toBe('left');
  });

  test('joinWithState counts as one join', async () => {
    const { network, group } = start();
    void group.join();
    network.socket.ack(AT_5);
    const joined = group.joinWithState(() => {});
    network.socket.ack({});
    network.socket.ack(AT_5);
    await settled();
    network.socket.ack({ ...AT_5, recovered: true });
    await joined;
    await group.leave();
    expect(group.state).toBe('joined');
    void group.leave();
    expect(group.state).toBe('left');
  });
});

describe('an iteration', () => {
  test('joins until it ends, and leaves a group without other users', async () => {
    const { network, group, sent } = start();
    const messages = group[Symbol.asyncIterator]();
    network.socket.ack(AT_5);
    void group.join();
    await messages.return(undefined);
    expect(group.state).toBe('joined');
    void group.leave();
    network.socket.ack({});
    void group[Symbol.asyncIterator]().return(undefined);
    network.socket.ack(AT_5);
    network.socket.ack({});
    expect(group.state).toBe('left');
    expect(sent()).toEqual(['add_group', 'leave_group', 'add_group', 'leave_group']);
  });

  test('in an effect that runs twice handles each message once', async () => {
    const { network, group, message, sent } = start();
    const handled: unknown[] = [];
    const run = (): (() => void) => effect(group, ({ offset }) => handled.push(offset));
    run()();
    const cleanUp = run();
    for (const command of network.socket.sent) network.socket.ack(AT_5, command);
    for (const command of network.socket.sent.slice(1)) network.socket.ack(AT_5, command);
    for (const offset of [6, 7]) message(offset);
    await settled();
    expect(handled).toEqual([6, 7]);
    cleanUp();
    await settled();
    message(8);
    await settled();
    expect(handled).toEqual([6, 7]);
    expect(sent().at(-1)).toBe('leave_group');
  });

  test('that reads too slowly leaves a group without other users', async () => {
    const { network, client } = startConnected({ bufferMax: 1 });
    const group = client.group('g');
    const events: unknown[] = [];
    group.on('message', ({ offset }) => events.push(offset));
    group.on('left', ({ error }) => events.push(error));
    const messages = group[Symbol.asyncIterator]();
    network.socket.ack(AT_5);
    for (const offset of [6, 7])
      network.socket.receive({ type: 'message', group_id: 'g', offset, message: '' });
    expect(events).toEqual([6, 7, undefined]);
    await messages.next();
    await expect(messages.next()).rejects.toMatchObject({ code: 'buffer_full' });
  });
});

test('groups and clients have listeners for one event, and remove listeners', () => {
  const { client, network, group, heard, message } = start();
  const once: unknown[] = [];
  const never = (): number => once.push('never');
  group.once('message', ({ offset }) => once.push(offset));
  group.on('message', never);
  group.off('message', never);
  client.once('state', ({ state }) => once.push(state));
  client.on('state', never);
  client.off('state', never);
  void group.join();
  network.socket.ack(AT_5);
  for (const offset of [6, 7]) message(offset);
  client.close();
  expect([heard, once]).toEqual([
    [6, 7],
    [6, 'closed'],
  ]);
});
