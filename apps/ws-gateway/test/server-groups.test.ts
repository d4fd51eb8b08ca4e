import { once } from 'node:events';
import { untilTurn } from '@groupcast/testkit/in-process';
import { afterEach, describe, expect, test } from 'vitest';
import type { GatewayClient } from '../src/index.ts';
import type { GatewayOptions } from '../src/options.ts';
import { NO_PINGS_MS, type StartedGateway, startGateway } from '../testing/start-gateway.ts';
import { TestClient } from '../testing/test-client.ts';

let started: StartedGateway;
let asked: GatewayClient[];

afterEach(async () => {
  await started.gateway.close();
});

/** Starts a gateway whose server joins these groups for each client. */
async function start(
  groups: readonly string[] | undefined,
  options: Partial<Omit<GatewayOptions, 'hub' | 'wheel'>> = {},
): Promise<void> {
  asked = [];
  const groupsOnConnect = (client: GatewayClient): readonly string[] => {
    asked.push(client);
    return groups ?? [];
  };
  started = await startGateway({
    heartbeatMs: NO_PINGS_MS,
    ...options,
    ...(groups === undefined ? {} : { groupsOnConnect }),
  });
}

function publish(count: number, group = 'g'): void {
  for (let index = 1; index <= count; index++) started.hub.publish(`group:${group}`, `m${index}`);
}

function joined(offset: number, more: object = {}): object {
  return { type: 'joined', group_id: 'g', epoch: 'epoch-1', offset, ...more };
}

/** Connects with `groupcast.v1`, and returns the client with its welcome. */
async function connect(): Promise<{ client: TestClient; welcome: Record<string, unknown> }> {
  const client = new TestClient(started.url, ['groupcast.v1']);
  return { client, welcome: await client.event() };
}

/** Position in a welcome. */
function told(group_id: string, offset: number): object {
  return { group_id, epoch: 'epoch-1', offset };
}

function at(offset: number, epoch = 'epoch-1'): object {
  return { epoch, offset };
}

const JOIN = { cmd: 'add_group', group_id: 'g', id: 1 };

describe('groups that the server joins for each client', () => {
  test('are joined after a resume, and what was missed follows', async () => {
    await start(['g']);
    publish(5);
    const client = await TestClient.v1(started.url);
    expect(asked).toEqual([{ id: client.clientId, protocol: 'v1', address: '127.0.0.1' }]);
    const positions = { g: at(3), other: at(1) };
    expect(await client.ask({ cmd: 'resume', positions, id: 'r' })).toEqual({ type: 'ack', id: 'r' });
    expect(await client.event()).toEqual(joined(5, { recovered: true }));
    expect(await client.event()).toMatchObject({ type: 'message', offset: 4, message: 'm4' });
    expect(await client.event()).toMatchObject({ type: 'message', offset: 5, message: 'm5' });
    publish(1);
    expect(await client.event()).toMatchObject({ type: 'message', offset: 6 });
    expect(started.gateway.connections()).toMatchObject([{ groups: 1 }]);
    started.advance(5);
    expect(await client.ask({ cmd: 'ping', id: 1 })).toEqual({ type: 'ack', id: 1 });
  });

  test.each([
    ['epoch_changed', at(3, 'other')],
    ['trimmed', at(1)],
  ])('tell the reason %s when what was missed is gone', async (reason, position) => {
    await start(['g']);
    publish(5);
    started.hub.trim('group:g');
    const client = await TestClient.v1(started.url);
    client.send({ cmd: 'resume', positions: { g: position } });
    expect(await client.event()).toEqual(joined(5, { recovered: false, reason }));
    publish(1);
    expect(await client.event()).toMatchObject({ type: 'message', offset: 6 });
    expect(started.gateway.stats().gaps).toBe(0);
  });

  test('are in the welcome, and joined in silence before any other first command', async () => {
    await start(['g', 'h']);
    publish(5);
    const { client, welcome } = await connect();
    expect(welcome).toMatchObject({ type: 'welcome', joined: [told('g', 5), told('h', 0)] });
    client.send({ ...JOIN, since: at(0) });
    // The client is in the group already: nothing is replayed.
    expect(await client.event()).toEqual({ type: 'ack', id: 1, group_id: 'g', epoch: 'epoch-1', offset: 5 });
    publish(1);
    expect(await client.event()).toMatchObject({ type: 'message', offset: 6 });
  });

  test.each([
    ['a resume of other groups', { cmd: 'resume', positions: { other: { epoch: 'e', offset: 1 } } }],
    ['another command', { cmd: 'ping' }],
    ['no command', undefined],
  ])('deliver messages after the welcome, with %s', async (_, command) => {
    await start(['g']);
    publish(5);
    const { client } = await connect();
    publish(3);
    if (command === undefined) started.advance(2);
    else client.send(command);
    for (const offset of [6, 7, 8]) expect(await client.event()).toMatchObject({ type: 'message', offset });
    publish(1);
    expect(await client.event()).toMatchObject({ type: 'message', offset: 9 });
  });

  test('tell a gap when messages after the welcome are gone', async () => {
    await start(['g']);
    publish(5);
    const { client } = await connect();
    publish(3);
    started.hub.trim('group:g');
    client.send({ cmd: 'ping' });
    expect(await client.event()).toEqual({
      type: 'gap',
      group_id: 'g',
      reason: 'trimmed',
      epoch: 'epoch-1',
      offset: 8,
    });
  });

  test('are told later when the hub is away for more than 2 s', async () => {
    await start(['g']);
    started.hub.away = true;
    const client = new TestClient(started.url, ['groupcast.v1']);
    await untilTurn(() => started.hub.calls.length === 1);
    started.advance(1);
    expect(client.pending).toEqual([]);
    started.advance(1);
    expect(await client.event()).not.toHaveProperty('joined');
    started.advance(2);
    started.hub.comeBack();
    expect(await client.event()).toEqual(joined(0));
    publish(1);
    expect(await client.event()).toMatchObject({ type: 'message', offset: 1 });
  });

  test('hold commands that arrive before the welcome', async () => {
    await start(['g']);
    started.hub.byHand = true;
    const client = new TestClient(started.url, ['groupcast.v1']);
    await once(client.ws, 'open');
    client.send({ cmd: 'resume', positions: {}, id: 1 });
    client.send({ cmd: 'ping', id: 2 });
    await untilTurn(() => started.gateway.stats().received === 2);
    expect(client.pending).toEqual([]);
    started.hub.answerReads();
    expect(await client.event()).toMatchObject({ type: 'welcome', joined: [told('g', 0)] });
    for (const id of [1, 2]) expect(await client.event()).toEqual({ type: 'ack', id });
  });

  test('wait for a resume for at least a second, and not for ever', async () => {
    await start(['g']);
    const { client } = await connect();
    started.advance(1);
    expect(started.gateway.stats().groups).toBe(0);
    started.advance(1);
    expect(started.gateway.stats().groups).toBe(1);
    const late = await client.ask({ cmd: 'resume', positions: { g: at(0) }, id: 1 });
    // It is the first command, but the groups did not wait for it.
    expect(late).toEqual({ type: 'ack', id: 1 });
    expect(await client.ask({ cmd: 'ping', id: 2 })).toEqual({ type: 'ack', id: 2 });
  });

  test('do not wait where the gateway has no time for it', async () => {
    await start(['g'], { resumeWaitMs: 0 });
    const { welcome } = await connect();
    expect(welcome['joined']).toEqual([told('g', 0)]);
    expect(started.gateway.stats().groups).toBe(1);
  });

  test('are joined in silence for a plain client, at once', async () => {
    await start(['g']);
    publish(1);
    const client = await TestClient.plain(started.url);
    await untilTurn(() => started.gateway.stats().groups === 1);
    const ack = { type: 'ack', id: 1, group_id: 'g', epoch: 'epoch-1', offset: 1 };
    expect(await client.ask(JOIN)).toEqual(ack);
    publish(1);
    expect(await client.message()).toBe('m1');
  });

  test('may begin with $, and be left like others', async () => {
    await start(['$news', 'g']);
    const client = await TestClient.v1(started.url);
    expect(await client.ask({ cmd: 'ping', id: 1 })).toEqual({ type: 'ack', id: 1 });
    publish(1, '$news');
    expect(await client.event()).toMatchObject({ type: 'message', group_id: '$news' });
    for (const group_id of ['$news', 'g'])
      expect(await client.ask({ cmd: 'leave_group', group_id, id: 1 })).toMatchObject({ group_id });
    expect(started.gateway.connections()).toMatchObject([{ groups: 0 }]);
  });

  test('may begin with $, and are recovered like others', async () => {
    await start(['$news']);
    publish(3, '$news');
    const client = await TestClient.v1(started.url);
    const position = { epoch: 'epoch-1', offset: 2 };
    client.send({ cmd: 'resume', positions: { $news: position, $other: position } });
    expect(await client.event()).toMatchObject({ type: 'joined', group_id: '$news', recovered: true });
    expect(await client.event()).toMatchObject({ type: 'message', group_id: '$news', offset: 3 });
    expect(started.gateway.connections()).toMatchObject([{ groups: 1 }]);
  });

  test('count for the group limit of the client, which does not limit them', async () => {
    await start(['a', 'b', 'c'], { groupsPerConnectionMax: 2 });
    const client = await TestClient.v1(started.url);
    expect(await client.ask(JOIN)).toMatchObject({ type: 'error', id: 1, code: 'group_limit' });
  });

  test('of a client that goes are forgotten', async () => {
    await start(['g']);
    const client = await TestClient.v1(started.url);
    await client.close();
    await untilTurn(() => started.gateway.stats().connections === 0);
    started.advance(5);
    expect(started.hub.calls).toEqual([{ name: 'history', channel: 'group:g' }]);
    expect(started.wheel.waiting).toBe(0);
  });

  test.each([
    ['an invalid name', () => ['']],
    [
      'an error of the program',
      () => {
        throw new Error('of the program');
      },
    ],
  ])('with %s close the connection', async (_, groupsOnConnect) => {
    started = await startGateway({ groupsOnConnect });
    const client = new TestClient(started.url, ['groupcast.v1']);
    expect(await client.event()).toMatchObject({ type: 'disconnect', code: 1011 });
    expect(await client.ended).toMatchObject({ code: 1011 });
  });
});

describe('resume', () => {
  test('is accepted first also where the server joins no groups', async () => {
    await start(undefined);
    const client = await TestClient.v1(started.url);
    expect(await client.ask({ cmd: 'resume', positions: { g: at(1) }, id: 1 })).toEqual({
      type: 'ack',
      id: 1,
    });
    expect(started.hub.calls).toEqual([]);
  });

  test.each([
    ['a second time', { cmd: 'resume', positions: {} }],
    ['after another command', { cmd: 'ping' }],
    ['after a command that was rejected', { cmd: 'dance' }],
  ])('is rejected %s', async (_, first) => {
    await start(undefined);
    const client = await TestClient.v1(started.url);
    await client.ask({ ...first, id: 1 });
    expect(await client.ask({ cmd: 'resume', positions: {}, id: 2 })).toEqual({
      type: 'error',
      id: 2,
      code: 'bad_field',
      message: 'cmd resume must be the first command. Use add_group with since.',
    });
  });

  test('is rejected in plain mode', async () => {
    await start(undefined);
    const client = await TestClient.plain(started.url);
    expect(await client.ask({ cmd: 'resume', positions: {}, id: 1 })).toMatchObject({
      code: 'bad_field',
      message: 'cmd resume needs the subprotocol groupcast.v1.',
    });
  });

  test('has at most as many positions as a client may have groups', async () => {
    await start(undefined, { groupsPerConnectionMax: 2 });
    const client = await TestClient.v1(started.url);
    const positions = { a: at(1), b: at(1), c: at(1) };
    expect(await client.ask({ cmd: 'resume', positions, id: 1 })).toMatchObject({
      code: 'bad_field',
      message: 'positions has 3 groups. At most 2 are allowed.',
    });
  });
});

describe('the server', () => {
  test('joins and removes a client, which is told', async () => {
    await start(undefined);
    publish(2);
    const client = await TestClient.v1(started.url);
    expect(started.gateway.joinGroup(client.clientId, 'g')).toBe(1);
    expect(await client.event()).toEqual(joined(2));
    expect(started.gateway.joinGroup(client.clientId, 'g')).toBe(0);
    publish(1);
    expect(started.gateway.removeFromGroup(client.clientId, 'g', 'The game is over.')).toBe(1);
    publish(1);
    // The message before the removal still arrives.
    expect(await client.event()).toMatchObject({ type: 'message', offset: 3 });
    expect(await client.event()).toEqual({ type: 'removed', group_id: 'g', reason: 'The game is over.' });
    expect(started.gateway.removeFromGroup(client.clientId, 'g', '')).toBe(0);
    expect(await client.ask({ ...JOIN, since: at(3) })).toMatchObject({ type: 'ack', recovered: true });
    expect(await client.event()).toMatchObject({ type: 'message', offset: 4 });
  });

  test('joins a live group at once, and tells an ack that waits after it', async () => {
    await start(undefined);
    const [one, other] = await Promise.all([TestClient.v1(started.url), TestClient.v1(started.url)]);
    await one.ask(JOIN);
    started.gateway.joinGroup(other.clientId, 'g');
    expect(await other.event()).toEqual(joined(0));
    started.hub.byHand = true;
    started.gateway.joinGroup(other.clientId, 'later');
    other.send({ cmd: 'add_group', group_id: 'later', id: 2 });
    await untilTurn(() => started.gateway.stats().received === 2);
    started.hub.catchUp('group:later', 0);
    expect(await other.event()).toMatchObject({ type: 'joined', group_id: 'later' });
    expect(await other.event()).toMatchObject({ type: 'ack', id: 2, group_id: 'later' });
  });

  test('still tells of a join when a command that waits for it is overdue', async () => {
    await start(undefined);
    const client = await TestClient.v1(started.url);
    started.hub.byHand = true;
    started.gateway.joinGroup(client.clientId, 'g');
    client.send({ ...JOIN, id: 2 });
    await untilTurn(() => started.gateway.stats().received === 1);
    started.advance(10);
    expect(await client.event()).toMatchObject({ type: 'error', id: 2, code: 'hub_unavailable' });
    started.hub.catchUp('group:g', 0);
    expect(await client.event()).toEqual(joined(0));
  });

  test('removes a client whose join is pending, and rejects its command', async () => {
    await start(undefined);
    const client = await TestClient.v1(started.url);
    started.hub.byHand = true;
    client.send(JOIN);
    await untilTurn(() => started.gateway.stats().groups === 1);
    expect(started.gateway.removeFromGroup(client.clientId, 'g', 'No.')).toBe(1);
    expect(await client.event()).toMatchObject({ type: 'error', id: 1, code: 'hub_unavailable' });
    expect(await client.event()).toEqual({ type: 'removed', group_id: 'g', reason: 'No.' });
  });

  test('tells a plain client nothing', async () => {
    await start(undefined);
    const client = await TestClient.plain(started.url);
    const [{ clientId } = { clientId: '' }] = started.gateway.connections();
    expect(started.gateway.joinGroup(clientId, 'g')).toBe(1);
    await untilTurn(() => started.gateway.stats().groups === 1);
    expect(await client.ask(JOIN)).toMatchObject({ type: 'ack' });
    publish(1);
    expect(await client.message()).toBe('m1');
    expect(started.gateway.removeFromGroup(clientId, 'g', 'over')).toBe(1);
    publish(1);
    expect(await client.ask({ cmd: 'ping', id: 2 })).toEqual({ type: 'ack', id: 2 });
  });

  test.each([
    [true, 4003, 'disconnected', 'Disconnected by the server. Connect again.'],
    [false, 4503, 'disconnected_for_good', 'Disconnected by the server. Do not connect again.'],
  ])('disconnects a client, and says whether to reconnect: %s', async (reconnect, code, end, sentence) => {
    await start(undefined);
    const [client, other] = await Promise.all([TestClient.v1(started.url), TestClient.v1(started.url)]);
    expect(started.gateway.disconnect(client.clientId, { reconnect })).toBe(1);
    expect(await client.event()).toEqual({ type: 'disconnect', code, reason: sentence, reconnect });
    expect(await client.ended).toEqual({ code, reason: sentence });
    const reason = 'Your plan has changed.';
    expect(started.gateway.disconnect(other.clientId, { reconnect, reason })).toBe(1);
    expect(await other.event()).toEqual({ type: 'disconnect', code, reason, reconnect });
    expect(await other.ended).toEqual({ code, reason });
    await untilTurn(() => started.gateway.stats().connections === 0);
    expect(started.gateway.stats().closed).toMatchObject({ [end]: 2 });
    expect(started.gateway.disconnect(client.clientId, { reconnect })).toBe(0);
  });

  test('reaches all connections of a client here', async () => {
    await start(undefined);
    const one = await TestClient.v1(started.url);
    const two = await TestClient.v1(started.url, one.session);
    expect(two.clientId).toBe(one.clientId);
    expect(started.gateway.joinGroup(one.clientId, 'g')).toBe(2);
    expect([await one.event(), await two.event()]).toEqual([joined(0), joined(0)]);
    expect(started.gateway.disconnect(one.clientId, { reconnect: false })).toBe(2);
    expect((await Promise.all([one.ended, two.ended])).map(({ code }) => code)).toEqual([4503, 4503]);
  });

  test('gives a valid name and a reason of at most 123 bytes', async () => {
    await start(undefined);
    const long = '\u00e9'.repeat(62);
    expect(() => started.gateway.joinGroup('c', '')).toThrow(
      expect.objectContaining({ code: 'invalid_group' }),
    );
    expect(() => started.gateway.removeFromGroup('c', 'a\nb', '')).toThrow(
      expect.objectContaining({ code: 'invalid_group' }),
    );
    for (const reason of [long, '\ud800', 5 as unknown as string]) {
      const bad = expect.objectContaining({ code: 'bad_option' });
      expect(() => started.gateway.removeFromGroup('c', 'g', reason)).toThrow(bad);
      expect(() => started.gateway.disconnect('c', { reason, reconnect: true })).toThrow(bad);
    }
    expect(started.gateway.disconnect('c', { reason: long.slice(1), reconnect: true })).toBe(0);
  });
});
