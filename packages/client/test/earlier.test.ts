import { describe, expect, test, vi } from 'vitest';
import type { HistoryOptions, JoinOptions } from '../src/index.ts';
import { outcomeOf, reconnect, settled, startClient, startConnected } from '../testing/start-client.ts';

const AT_9 = { epoch: 'e', offset: 9 };

/** Starts a connected client, and collects the messages of the group `g`. */
function start() {
  const started = startConnected();
  const group = started.client.group('g');
  const heard: unknown[] = [];
  group.on('message', ({ offset }) => heard.push(offset));
  const message = (offset: number): void =>
    started.network.socket.receive({ type: 'message', group_id: 'g', offset, message: `m${offset}` });
  return { ...started, group, heard, message };
}

test('a message has the time of the hub, and none from an older gateway', async () => {
  const { group, network, message } = start();
  const times: unknown[] = [];
  group.on('message', ({ at }) => times.push(at));
  void group.join();
  network.socket.ack(AT_9);
  network.socket.receive({ type: 'message', group_id: 'g', offset: 10, message: '', at: 1_700_000_000_000 });
  message(11);
  expect(times).toEqual([1_700_000_000_000, undefined]);
});

describe('join with last', () => {
  test('receives the newest messages first, and resolves with their number', async () => {
    const { group, network, heard, message } = start();
    const joined = outcomeOf(group.join({ last: 3 }));
    expect(network.socket.sent).toEqual([{ cmd: 'add_group', group_id: 'g', last: 3, id: 1 }]);
    network.socket.ack({ ...AT_9, count: 3 });
    await settled();
    expect(joined.value).toEqual({ position: { epoch: 'e', offset: 6 }, count: 3 });
    for (const offset of [7, 8, 9, 9, 10]) message(offset);
    expect(heard).toEqual([7, 8, 9, 10]);
    expect(group.position).toEqual({ epoch: 'e', offset: 10 });
  });

  test('continues at its position after a reconnect, also amid the first messages', () => {
    const { group, network, heard, message } = start();
    void group.join({ last: 3 });
    network.socket.ack({ ...AT_9, count: 3 });
    message(7);
    reconnect(network);
    expect(network.socket.sent).toEqual([
      { cmd: 'add_group', group_id: 'g', since: { epoch: 'e', offset: 7 }, id: expect.any(Number) },
    ]);
    network.socket.ack({ ...AT_9, recovered: true });
    for (const offset of [8, 9]) message(offset);
    expect(heard).toEqual([7, 8, 9]);
  });

  test('asks again for the newest when the first answer is lost', () => {
    const { group, network } = start();
    void group.join({ last: 3 });
    reconnect(network);
    expect(network.socket.sentOf('add_group')).toEqual([
      { cmd: 'add_group', group_id: 'g', last: 3, id: expect.any(Number) },
    ]);
  });

  test('has no count from an older gateway, nor for a group that is joined already', async () => {
    const { group, network } = start();
    const joined = outcomeOf(group.join({ last: 3 }));
    network.socket.ack(AT_9);
    await settled();
    expect(joined.value).toEqual({ position: AT_9 });
    expect(await group.join({ last: 3 })).toEqual({ position: AT_9 });
    expect(network.socket.sent).toHaveLength(1);
  });

  test('accepts since: null beside it, as a storage returns it', () => {
    const { group, network } = start();
    void group.join({ since: null, last: 3 });
    expect(network.socket.sent).toEqual([{ cmd: 'add_group', group_id: 'g', last: 3, id: 1 }]);
  });

  test.each([
    { last: 0 },
    { last: 1_001 },
    { last: 1.5 },
    { last: '3' },
    { last: null },
    { last: 3, since: AT_9 },
  ] as JoinOptions[])('is bad_option with %j, and sends nothing', async (options) => {
    const { group, network } = start();
    await expect(group.join(options)).rejects.toMatchObject({ code: 'bad_option' });
    expect(group.state).toBe('left');
    expect(network.socket.sent).toEqual([]);
  });
});

describe('history', () => {
  test('returns messages, without a join', async () => {
    const { group, network } = start();
    const read = outcomeOf(group.history({ last: 2 }));
    expect(network.socket.sent).toEqual([{ cmd: 'history', group_id: 'g', last: 2, id: 1 }]);
    network.socket.ack({
      group_id: 'g',
      ...AT_9,
      verdict: 'recovered',
      read_offset: 9,
      messages: [
        { offset: 8, message: 'a', from: { client_id: 'x' }, at: 5 },
        { offset: 9, message: { any: 1 } },
      ],
    });
    await settled();
    expect(read.value).toEqual({
      messages: [
        { groupId: 'g', epoch: 'e', offset: 8, message: 'a', from: { clientId: 'x' }, at: 5 },
        { groupId: 'g', epoch: 'e', offset: 9, message: { any: 1 } },
      ],
      verdict: 'recovered',
      position: AT_9,
      hasMore: false,
    });
    expect(group.state).toBe('left');
    expect(group.position).toBeUndefined();
  });

  test('says where to continue', async () => {
    const { group, network } = start();
    const since = { epoch: 'e', offset: 2 };
    const read = outcomeOf(group.history({ since, limit: 1 }));
    expect(network.socket.sent).toMatchObject([{ cmd: 'history', since, limit: 1 }]);
    network.socket.ack({
      ...AT_9,
      verdict: 'recovered',
      read_offset: 4,
      messages: [{ offset: 3, message: '' }],
    });
    await settled();
    expect(read.value).toMatchObject({ position: { epoch: 'e', offset: 4 }, hasMore: true });
  });

  test('returns the reason why there are no messages, and the position of the group', async () => {
    const { group, network } = start();
    const read = outcomeOf(group.history({ since: { epoch: 'old', offset: 2 } }));
    network.socket.ack({ ...AT_9, verdict: 'epoch_changed', messages: [] });
    await settled();
    expect(read.value).toEqual({ messages: [], verdict: 'epoch_changed', position: AT_9, hasMore: false });
  });

  test('waits for a connection, and is repeated after a lost one', async () => {
    const { client, network } = startClient();
    const read = outcomeOf(client.group('g').history({ last: 1 }));
    expect(network.socket.sent).toEqual([]);
    network.socket.welcome();
    expect(network.socket.sentOf('history')).toHaveLength(1);
    reconnect(network);
    expect(network.socket.sentOf('history')).toHaveLength(1);
    network.socket.ack({ ...AT_9, verdict: 'recovered', read_offset: 9, messages: [] });
    await settled();
    expect(read.value).toMatchObject({ position: AT_9 });
  });

  test('is repeated after a temporary rejection, while messages are sent', async () => {
    const { group, network } = start();
    const read = outcomeOf(group.history({ last: 1 }));
    network.socket.refuse('rate_limited');
    const sent = outcomeOf(group.send('hi'));
    network.socket.ack(AT_9);
    await settled();
    expect(sent.value).toEqual(AT_9);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(network.socket.sentOf('history')).toHaveLength(2);
    network.socket.ack({ ...AT_9, verdict: 'recovered', read_offset: 9, messages: [] });
    await settled();
    expect(read.value).toMatchObject({ position: AT_9 });
  });

  test('rejects with the code of the gateway', async () => {
    const { group, network } = start();
    const read = outcomeOf(group.history({ last: 1 }));
    network.socket.refuse('forbidden');
    await settled();
    expect(read.error).toMatchObject({ code: 'forbidden' });
  });

  test('rejects with the reason of the signal, with timeout, and with closed', async () => {
    const { client, group } = start();
    const controller = new AbortController();
    const reason = new Error('not needed');
    const aborted = outcomeOf(group.history({ last: 1, signal: controller.signal }));
    const expired = outcomeOf(group.history({ last: 1, timeoutMs: 5 }));
    const unanswered = outcomeOf(group.history({ last: 1 }));
    controller.abort(reason);
    await vi.advanceTimersByTimeAsync(5);
    expect(aborted.error).toBe(reason);
    expect(expired.error).toMatchObject({ code: 'timeout' });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(unanswered.error).toMatchObject({ code: 'timeout' });
    const open = outcomeOf(group.history({ last: 1 }));
    client.close();
    await settled();
    expect(open.error).toMatchObject({ code: 'closed' });
    await expect(group.history({ last: 1 })).rejects.toMatchObject({ code: 'closed' });
  });

  test('is bounded: one more read than sendQueueMax rejects with queue_full', async () => {
    const { client } = startClient({ sendQueueMax: 2 });
    const group = client.group('g');
    void group.history({ last: 1 }).catch(() => {});
    void group.history({ last: 1 }).catch(() => {});
    await expect(group.history({ last: 1 })).rejects.toMatchObject({ code: 'queue_full' });
  });

  test.each([
    {},
    { since: null },
    { last: 0 },
    { last: 1, since: AT_9 },
    { since: 'e:9' },
    { last: 1, limit: 0 },
    { last: 1, limit: 1_001 },
    undefined,
  ] as HistoryOptions[])('is bad_option with %j, and sends nothing', async (options) => {
    const { group, network } = start();
    await expect(group.history(options)).rejects.toMatchObject({ code: 'bad_option' });
    expect(network.socket.sent).toEqual([]);
  });
});
