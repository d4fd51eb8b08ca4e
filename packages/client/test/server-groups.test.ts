import { expect, test, vi } from 'vitest';
import type { Group } from '../src/index.ts';
import { FakeSocket } from '../testing/fake-socket.ts';
import { outcomeOf, reconnect, settled, startConnected } from '../testing/start-client.ts';

const AT_5 = { epoch: 'e', offset: 5 };
const AT_6 = { epoch: 'e', offset: 6 };
const AT_9 = { epoch: 'e', offset: 9 };

/** Starts a connected client, and collects its events of groups. */
function start() {
  const started = startConnected();
  const { client, network } = started;
  const told: unknown[] = [];
  client.on('joined', (event) => told.push(['joined', event]));
  client.on('removed', (event) => told.push(['removed', event]));
  const joined = (fields: object = AT_5, groupId = 'g'): void =>
    network.socket.receive({ type: 'joined', group_id: groupId, ...AT_5, ...fields });
  const removed = (reason = 'The game is over.'): void =>
    network.socket.receive({ type: 'removed', group_id: 'g', reason });
  const message = (offset: number): void =>
    network.socket.receive({ type: 'message', group_id: 'g', offset, message: `m${offset}` });
  return { ...started, told, joined, removed, message };
}

/** Collects all events of a group, in order. */
function record(group: Group): unknown[] {
  const events: unknown[] = [];
  for (const name of ['joined', 'gap', 'error', 'left', 'removed'] as const) {
    group.on(name, (event) => events.push([name, event]));
  }
  group.on('message', ({ offset }) => events.push(offset));
  return events;
}

/** Starts a client whose group `g` was joined by the server at e/5, and collects its events. */
function startJoined() {
  const started = start();
  const group = started.client.group('g');
  started.joined();
  const events = record(group);
  started.told.length = 0;
  return { ...started, group, events };
}

test('a join by the server is told, and the group is joined without a command', async () => {
  const { client, network, told, joined, message } = start();
  const events: unknown[] = [];
  client.on('joined', ({ groupId }) => events.push(...[client.group(groupId).state, client.group(groupId)]));
  joined();
  expect(told).toEqual([['joined', { groupId: 'g', position: AT_5 }]]);
  const group = client.group('g');
  expect(events).toEqual(['joined', group]);
  expect(group.position).toEqual(AT_5);
  const heard = record(group);
  message(6);
  expect(heard).toEqual([6]);
  expect(await group.join()).toEqual({ position: AT_6 });
  expect(network.socket.sent).toEqual([]);
});

test('a join by the server reaches listeners of the group, also those that the event adds', () => {
  const { client, joined, message } = start();
  const events = record(client.group('g'));
  joined();
  client.on('joined', ({ groupId }) => {
    client.group(groupId).on('message', ({ offset }) => events.push(`late ${offset}`));
  });
  joined({}, 'h');
  message(6);
  expect(events).toEqual([['joined', { position: AT_5 }], 6]);
});

test('a group of the server outlives the users of the application', async () => {
  const { group, network, message, events } = startJoined();
  await group.join();
  await group.leave();
  const iteration = group[Symbol.asyncIterator]();
  await iteration.return(undefined);
  message(6);
  expect(events).toEqual([6]);
  expect(network.socket.sent).toEqual([]);
});

test('leave({ all: true }) leaves a group of the server', async () => {
  const { group, network, events } = startJoined();
  const left = outcomeOf(group.leave({ all: true }));
  expect(network.socket.sent).toEqual([{ cmd: 'leave_group', group_id: 'g', id: 1 }]);
  network.socket.ack({ group_id: 'g' });
  await settled();
  expect(left).toHaveProperty('value');
  expect(events).toEqual([['left', { error: undefined }]]);
  reconnect(network);
  expect(network.socket.sent).toEqual([]);
});

test('a join by the server that a leave follows has no effect', async () => {
  const { client, network, joined } = start();
  const group = client.group('g');
  void group.join();
  network.socket.ack(AT_5);
  void group.leave();
  joined();
  expect(group.state).toBe('left');
  network.socket.ack({ group_id: 'g' });
  expect(group.state).toBe('left');
  joined({ offset: 7 });
  expect(group).toMatchObject({ state: 'joined', position: { epoch: 'e', offset: 7 } });
});

test('after a reconnect, resume is the first command, and the missed messages follow', () => {
  const { group, network, joined, told, message, events } = startJoined();
  message(6);
  void group.send('while away').catch(() => {});
  reconnect(network);
  expect(network.socket.sent).toMatchObject([
    { cmd: 'resume', positions: { g: AT_6 } },
    { cmd: 'send_to_group' },
  ]);
  expect(group).toMatchObject({ state: 'joining', position: AT_6 });
  joined({ ...AT_9, recovered: true });
  for (const offset of [7, 8, 9]) message(offset);
  expect(events).toEqual([6, ['joined', { position: AT_6, recovered: true }], 7, 8, 9]);
  expect(told).toEqual([['joined', { groupId: 'g', position: AT_6, recovered: true }]]);
  expect(network.socket.sentOf('add_group')).toEqual([]);
});

test.each([
  [{ ...AT_9, recovered: false, reason: 'limit' as const }, 'limit'],
  [{ epoch: 'f', offset: 1, recovered: false, reason: 'epoch_changed' as const }, 'epoch_changed'],
  [AT_9, 'trimmed'],
])('a resume that does not recover is a gap: %j', (answer, reason) => {
  const { group, network, joined, events } = startJoined();
  reconnect(network);
  joined(answer);
  const position = { epoch: answer.epoch, offset: answer.offset };
  expect(events).toEqual([
    ['joined', { position, recovered: false, reason }],
    ['gap', { position, reason }],
  ]);
  expect(group.position).toEqual(position);
});

test('a listener of joined that leaves hears no gap', () => {
  const { group, network, joined, events } = startJoined();
  group.on('joined', () => void group.leave({ all: true }));
  reconnect(network);
  joined({ ...AT_9, recovered: false, reason: 'limit' });
  expect(events.map((event) => (event as unknown[])[0])).toEqual(['joined', 'left']);
  expect(group.position).toBeUndefined();
});

test('without groups of the server there is no resume', () => {
  const { client, network } = start();
  void client.group('g').join();
  network.socket.ack(AT_5);
  reconnect(network);
  expect(network.socket.sent).toMatchObject([{ cmd: 'add_group' }]);
});

test('resume has as many positions as the gateway accepts, also of groups of the system', () => {
  const { network, joined, errors } = start();
  joined({}, '$user:7');
  joined({}, '__proto__');
  for (let number = 0; number < 200; number += 1) joined({}, `g${number}`);
  reconnect(network);
  const [{ positions } = { positions: {} }] = network.socket.sentOf('resume');
  expect(Object.keys(positions)).toHaveLength(128);
  expect(Object.keys(positions).slice(0, 2)).toEqual(['$user:7', '__proto__']);
  network.socket.receive({ type: 'error', code: 'bad_field', message: 'Not first.' });
  expect(errors).toMatchObject([{ code: 'bad_field' }]);
});

test('resume without positions when they exceed the largest message', () => {
  const { network, joined } = start();
  for (let number = 0; number < 10; number += 1) joined({}, `g${number}`);
  const limits = { message_bytes: 300, groups: 128, messages_per_second: 1_000, messages_burst: 2_000 };
  reconnect(network, { limits });
  expect(network.socket.sent).toEqual([{ cmd: 'resume', positions: {} }]);
});

test('a group that the server does not join again is removed when that connection ends', () => {
  const { group, network, told, events } = startJoined();
  network.socket.end(1006);
  // A failed attempt says nothing.
  vi.advanceTimersToNextTimer();
  network.socket.end(1006);
  expect(group.state).toBe('joining');
  vi.advanceTimersToNextTimer();
  network.socket.welcome();
  expect(group.state).toBe('joining');
  network.socket.end(1006);
  expect(group).toMatchObject({ state: 'left', position: undefined });
  expect(events).toMatchObject([
    ['left', { error: { code: 'removed' } }],
    ['removed', {}],
  ]);
  expect(told).toMatchObject([['removed', { groupId: 'g' }]]);
  vi.advanceTimersToNextTimer();
  network.socket.welcome();
  expect(network.socket.sent).toEqual([]);
});

test('removed ends the membership, its iterations and joins, with the reason', async () => {
  const { client, network, group, told, events, removed } = startJoined();
  const iteration = group[Symbol.asyncIterator]();
  const next = outcomeOf(iteration.next());
  removed();
  await settled();
  const error = { code: 'removed', message: 'removed: The game is over.' };
  expect(next.error).toMatchObject(error);
  expect(events).toMatchObject([
    ['left', { error }],
    ['removed', { reason: 'The game is over.' }],
  ]);
  expect(told).toEqual([['removed', { groupId: 'g', reason: 'The game is over.' }]]);
  expect(group).toMatchObject({ state: 'left', position: undefined });
  expect(network.socket.sent).toEqual([]);
  removed();
  expect(told).toHaveLength(1);
  const joined = outcomeOf(client.group('g').join());
  removed();
  await settled();
  expect(joined.error).toMatchObject(error);
  // The gateway had the join behind the removal.
  network.socket.ack(AT_9);
  expect(network.socket.sent).toMatchObject([{ cmd: 'add_group' }, { cmd: 'leave_group' }]);
});

test('an application can join a group again from the event removed', () => {
  const { group, network, removed } = startJoined();
  group.once('removed', () => void group.join());
  removed();
  network.socket.ack(AT_9);
  expect(group).toMatchObject({ state: 'joined', position: AT_9 });
});

test('a group that server and application have joined is recovered once', async () => {
  const { group, network, joined, message, events } = startJoined();
  await group.join();
  reconnect(network);
  expect(network.socket.sent).toMatchObject([{ cmd: 'resume' }, { cmd: 'add_group', since: AT_5 }]);
  joined({ ...AT_9, recovered: true });
  network.socket.ack(AT_9);
  for (const offset of [6, 7, 8, 9]) message(offset);
  expect(events).toEqual([['joined', { position: AT_5, recovered: true }], 6, 7, 8, 9]);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(network.socket.sentOf('add_group')).toHaveLength(1);
});

test.each(['before', 'after'])(
  'a stored position is recovered when the server joins the group without it, %s the answer',
  async (order) => {
    const { client, network, joined, message } = start();
    const group = client.group('g');
    const events = record(group);
    const done = outcomeOf(group.join({ since: AT_5 }));
    // A gateway joins the groups of the server before it reads the first command.
    if (order === 'before') joined(AT_9);
    network.socket.ack(order === 'before' ? AT_9 : { ...AT_9, recovered: true });
    if (order === 'before') {
      expect(network.socket.sent).toMatchObject([{ cmd: 'add_group' }, { cmd: 'leave_group' }]);
      message(10);
      network.socket.ack({ group_id: 'g' });
      expect(network.socket.sent.at(-1)).toMatchObject({ cmd: 'add_group', since: AT_5 });
      network.socket.ack({ ...AT_9, recovered: true });
    } else joined(AT_9);
    await settled();
    for (const offset of [6, 7]) message(offset);
    expect(done.value).toEqual({ position: AT_5, recovered: true });
    expect(events).toEqual([['joined', { position: AT_5, recovered: true }], 6, 7]);
  },
);

test('a group of the system that the application uses is not joined by it', async () => {
  const { client, network, joined } = start();
  joined({}, '$user:7');
  const group = client.group('$user:7');
  await group.join();
  reconnect(network);
  expect(network.socket.sent).toEqual([{ cmd: 'resume', positions: { '$user:7': AT_5 } }]);
  joined(AT_9, '$user:7');
  expect(group).toMatchObject({ state: 'joined', position: AT_9 });
});

test('a group of both that the server does not join again is recovered by the application', async () => {
  const { group, network, message, events } = startJoined();
  await group.join();
  reconnect(network);
  network.socket.ack({ ...AT_6, recovered: true });
  message(6);
  reconnect(network);
  // The server is expected on one connection only.
  expect(network.socket.sent).toMatchObject([{ cmd: 'add_group', since: AT_6 }]);
  network.socket.ack({ ...AT_6, recovered: true });
  expect(events).toMatchObject([['joined', {}], 6, ['joined', {}]]);
});

test('an application that joins while the server is expected to does so itself', async () => {
  const { group, network } = startJoined();
  reconnect(network);
  expect(network.socket.sent).toMatchObject([{ cmd: 'resume' }]);
  const joined = outcomeOf(group.join());
  expect(network.socket.sent).toMatchObject([{ cmd: 'resume' }, { cmd: 'add_group', since: AT_5 }]);
  network.socket.ack({ ...AT_5, recovered: true });
  await settled();
  expect(joined.value).toEqual({ position: AT_5, recovered: true });
});

test('a rejected join of a group that the server has joined keeps that membership', async () => {
  const { client, network, joined } = start();
  const group = client.group('$user:7');
  const wanted = outcomeOf(group.join());
  joined({}, '$user:7');
  network.socket.refuse('forbidden');
  await settled();
  expect(wanted.value).toEqual({ position: AT_5 });
  expect(group.state).toBe('joined');
});

test('a join by the server while a state is loaded misses nothing: the state is loaded again', async () => {
  const { client, network, joined } = start();
  const group = client.group('g');
  const loads: unknown[] = [];
  const done = outcomeOf(
    group.joinWithState(({ position, reason }) => {
      loads.push([position, reason]);
    }),
  );
  joined(AT_6);
  network.socket.ack(AT_5);
  await settled();
  network.socket.ack(AT_6);
  await settled();
  network.socket.ack({ group_id: 'g' });
  await settled();
  network.socket.ack({ ...AT_6, recovered: true });
  await settled();
  expect(loads).toEqual([
    [AT_5, 'start'],
    [AT_6, 'trimmed'],
  ]);
  expect(done.value).toMatchObject({ position: AT_6 });
  expect(network.socket.sent.map(({ cmd }) => cmd)).toEqual([
    'group_info',
    'add_group',
    'leave_group',
    'add_group',
  ]);
});

test('close leaves the groups of the server, without an error', () => {
  const { client, events } = startJoined();
  client.close();
  expect(events).toEqual([['left', { error: undefined }]]);
});

test.each([{ group_id: '' }, { group_id: 5.5 }, { group_id: null }])(
  'a joined event with %j ends the connection, as any invalid event does',
  (fields) => {
    const { network, states } = start();
    network.socket.receiveData(JSON.stringify({ type: 'joined', ...AT_5, ...fields }));
    expect(network.socket).toBeInstanceOf(FakeSocket);
    expect(states.at(-1)).toBe('waiting');
  },
);

test('a joined event without a position is ignored', () => {
  const { client, network } = start();
  network.socket.receiveData(JSON.stringify({ type: 'joined', group_id: 'g' }));
  expect(client.group('g').state).toBe('left');
});
