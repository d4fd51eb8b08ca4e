import { describe, expect, test, vi } from 'vitest';
import type { LoadRequest } from '../src/index.ts';
import { outcomeOf, reconnect, settled, startConnected } from '../testing/start-client.ts';

interface Loading {
  readonly request: LoadRequest;
  readonly done: () => void;
  readonly fail: (error: Error) => void;
}

/** Starts a group that is joined with a state, whose loads the test settles. */
function start() {
  const started = startConnected();
  const { network, client } = started;
  const group = client.group('g');
  const loads: Loading[] = [];
  const events: unknown[] = [];
  for (const name of ['joined', 'gap', 'left'] as const)
    group.on(name, (event) => events.push([name, event]));
  group.on('error', ({ code }) => events.push(['error', code]));
  group.on('message', ({ offset }) => events.push(offset));
  const joined = outcomeOf(
    group.joinWithState((request) => new Promise<void>((done, fail) => loads.push({ request, done, fail }))),
  );
  const message = (offset: number): void =>
    network.socket.receive({ type: 'message', group_id: 'g', offset, message: '' });
  return { ...started, group, loads, events, joined, message };
}

const AT_5 = { epoch: 'e', offset: 5 };

/** Starts the same, joined at e/5 after one load. */
async function startJoined() {
  const started = start();
  started.network.socket.ack(AT_5);
  started.loads[0]!.done();
  await settled();
  started.network.socket.ack({ epoch: 'e', offset: 5, recovered: true });
  await settled();
  started.events.length = 0;
  return started;
}

describe('joinWithState', () => {
  test('reads the position, loads, and joins at it', async () => {
    const { network, loads, events, joined, message, group } = start();
    expect(network.socket.sent).toEqual([{ cmd: 'group_info', group_id: 'g', id: 1 }]);
    expect(loads).toEqual([]);
    network.socket.ack(AT_5);
    expect(loads.map(({ request }) => request)).toEqual([{ position: AT_5, reason: 'start' }]);
    await settled();
    expect(network.socket.sentOf('add_group')).toEqual([]);
    expect(group.state).toBe('joining');
    loads[0]!.done();
    await settled();
    expect(network.socket.sentOf('add_group')).toEqual([
      { cmd: 'add_group', group_id: 'g', since: AT_5, id: 2 },
    ]);
    network.socket.ack({ epoch: 'e', offset: 7, recovered: true });
    for (const offset of [6, 7, 8]) message(offset);
    await settled();
    expect(joined.value).toEqual({ position: AT_5, recovered: true });
    expect(events).toEqual([['joined', { position: AT_5, recovered: true }], 6, 7, 8]);
  });

  test('after a gap leaves, loads again, and joins at the end of the gap; delivers no message meanwhile', async () => {
    const { network, loads, events, message } = await startJoined();
    network.socket.receive({
      type: 'gap',
      group_id: 'g',
      reason: 'epoch_changed',
      epoch: 'f',
      offset: 2,
    });
    message(3);
    expect(loads[1]!.request).toEqual({ position: { epoch: 'f', offset: 2 }, reason: 'epoch_changed' });
    expect(network.socket.sent.at(-1)).toMatchObject({ cmd: 'leave_group' });
    network.socket.ack({});
    message(4);
    expect(events).toEqual([]);
    loads[1]!.done();
    await settled();
    expect(network.socket.sent.at(-1)).toMatchObject({ since: { epoch: 'f', offset: 2 } });
    network.socket.ack({ epoch: 'f', offset: 4, recovered: true });
    for (const offset of [3, 4]) message(offset);
    expect(events).toEqual([['joined', { position: { epoch: 'f', offset: 2 }, recovered: true }], 3, 4]);
  });

  test('the load can end before the leave is confirmed', async () => {
    const { network, loads } = await startJoined();
    network.socket.receive({ type: 'gap', group_id: 'g', reason: 'trimmed', epoch: 'e', offset: 90 });
    loads[1]!.done();
    await settled();
    const leave = network.socket.sent.at(-1);
    expect(leave).toMatchObject({ cmd: 'leave_group' });
    network.socket.ack({}, leave);
    expect(network.socket.sent.at(-1)).toMatchObject({ cmd: 'add_group', since: { offset: 90 } });
  });

  test('after a reconnect loads only when messages were missed', async () => {
    const { network, loads, events, message } = await startJoined();
    reconnect(network);
    expect(network.socket.sent).toEqual([expect.objectContaining({ cmd: 'add_group', since: AT_5 })]);
    network.socket.ack({ epoch: 'e', offset: 6, recovered: true });
    message(6);
    reconnect(network);
    network.socket.ack({ epoch: 'e', offset: 900, recovered: false, reason: 'trimmed' });
    expect(loads.map(({ request }) => request.reason)).toEqual(['start', 'trimmed']);
    expect(loads[1]!.request.position.offset).toBe(900);
    message(901);
    expect(events).toEqual([['joined', { position: AT_5, recovered: true }], 6]);
  });

  test('continues after a loss of the connection at any step', async () => {
    const { network, loads, joined } = start();
    reconnect(network);
    expect(network.socket.sent).toEqual([expect.objectContaining({ cmd: 'group_info' })]);
    network.socket.ack(AT_5);
    reconnect(network);
    expect(network.socket.sent).toEqual([]);
    loads[0]!.done();
    await settled();
    expect(network.socket.sent).toEqual([expect.objectContaining({ cmd: 'add_group', since: AT_5 })]);
    reconnect(network);
    expect(network.socket.sent).toEqual([expect.objectContaining({ cmd: 'add_group', since: AT_5 })]);
    network.socket.ack({ epoch: 'e', offset: 5, recovered: true });
    await settled();
    expect(joined.value).toEqual({ position: AT_5, recovered: true });
    expect(loads).toHaveLength(1);
  });

  test('leaves the group and rejects when the first load fails', async () => {
    const { network, loads, joined, group, errors } = start();
    network.socket.ack(AT_5);
    const cause = new Error('no database');
    loads[0]!.fail(cause);
    await settled();
    expect(joined.error).toMatchObject({ code: 'load_failed', cause });
    expect(errors).toEqual([joined.error]);
    expect(group.state).toBe('left');
    expect(network.socket.sentOf('add_group')).toEqual([]);
  });

  test('emits an error when a later load fails, and retries at a new position', async () => {
    const { network, loads, events, group } = await startJoined();
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    network.socket.receive({ type: 'gap', group_id: 'g', reason: 'limit', epoch: 'e', offset: 90 });
    network.socket.ack({});
    loads[1]!.fail(new Error('no database'));
    await settled();
    expect(events).toEqual([['error', 'load_failed']]);
    expect(group.state).toBe('joining');
    vi.advanceTimersByTime(500);
    expect(network.socket.sent.at(-1)).toMatchObject({ cmd: 'group_info' });
    network.socket.ack({ epoch: 'e', offset: 95 });
    expect(loads[2]!.request).toEqual({ position: { epoch: 'e', offset: 95 }, reason: 'limit' });
  });

  test('rejects when the group is left during the load', async () => {
    const { network, loads, joined, group } = start();
    network.socket.ack(AT_5);
    await group.leave();
    loads[0]!.done();
    await settled();
    expect(joined.error?.code).toBe('left');
    expect(network.socket.sentOf('add_group')).toEqual([]);
  });

  test('ignores the answers to an earlier join', async () => {
    const { network, loads, group } = start();
    const left = group.leave();
    network.socket.ack(AT_5);
    await left;
    expect(loads).toEqual([]);
    const again = vi.fn();
    void group.joinWithState(() => {}).catch(() => {});
    void group.leave();
    void group.joinWithState(again).catch(() => {});
    const [, first] = network.socket.sentOf('group_info');
    network.socket.ack(AT_5, first);
    expect(again).not.toHaveBeenCalled();
    const [, , second] = network.socket.sentOf('group_info');
    network.socket.ack({ epoch: 'e', offset: 6 }, second);
    expect(again.mock.calls).toEqual([[{ position: { epoch: 'e', offset: 6 }, reason: 'start' }]]);
    await settled();
    expect(network.socket.sent.at(-1)).toMatchObject({ cmd: 'add_group', since: { offset: 6 } });
  });

  test('loads and joins again when the group is joined already', async () => {
    const { client, network } = startConnected();
    const group = client.group('g');
    group.join().catch(() => {});
    network.socket.ack(AT_5);
    const load = vi.fn();
    const joined = outcomeOf(group.joinWithState(load));
    network.socket.ack({});
    network.socket.ack({ epoch: 'e', offset: 8 });
    await settled();
    expect(load.mock.calls).toEqual([[{ position: { epoch: 'e', offset: 8 }, reason: 'start' }]]);
    network.socket.ack({ epoch: 'e', offset: 8, recovered: true });
    await settled();
    expect(network.socket.sent.map(({ cmd }) => cmd)).toEqual([
      'add_group',
      'leave_group',
      'group_info',
      'add_group',
    ]);
    expect(joined.value?.position.offset).toBe(8);
  });

  test('rejects when the function throws', async () => {
    const { client, network } = startConnected();
    const cause = new Error('at once');
    const joined = outcomeOf(
      client.group('g').joinWithState(() => {
        throw cause;
      }),
    );
    network.socket.ack(AT_5);
    await settled();
    expect(joined.error).toMatchObject({ code: 'load_failed', cause });
  });
});
