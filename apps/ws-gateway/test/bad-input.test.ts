import { untilTurn } from '@groupcast/testkit/in-process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { GatewayOptions } from '../src/options.ts';
import { expectPristineObjects } from '../testing/pristine-objects.ts';
import { type StartedGateway, startGateway } from '../testing/start-gateway.ts';
import { TestClient } from '../testing/test-client.ts';

let started: StartedGateway;

async function start(options: Partial<Omit<GatewayOptions, 'hub' | 'wheel'>> = {}): Promise<void> {
  started = await startGateway(options);
}

beforeEach(() => start());

afterEach(async () => {
  await started.gateway.close();
  expectPristineObjects();
});

describe.each(['plain', 'v1'] as const)('in %s mode', (mode) => {
  test.each(
    (
      [
        ['', 'bad_json'],
        ['{', 'bad_json'],
        ['hello', 'bad_json'],
        ['[]', 'bad_json'],
        ['[{"cmd":"ping"}]', 'bad_json'],
        ['1', 'bad_json'],
        ['null', 'bad_json'],
        ['"ping"', 'bad_json'],
        [`${'['.repeat(30_000)}`, 'bad_json'],
        [`{"cmd":"ping","x":${'['.repeat(30_000)}${']'.repeat(30_000)}}`, 'bad_json'],
        ['{}', 'bad_field'],
        ['{"cmd":{}}', 'bad_field'],
        ['{"cmd":null}', 'bad_field'],
        ['{"cmd":["ping"]}', 'bad_field'],
        ['{"cmd":"__proto__"}', 'unknown_command'],
        ['{"cmd":"constructor"}', 'unknown_command'],
        ['{"cmd":"PING"}', 'unknown_command'],
        ['{"__proto__":{"cmd":"ping","polluted":true}}', 'bad_field'],
        ['{"cmd":"add_group"}', 'bad_field'],
        ['{"cmd":"add_group","group_id":null}', 'bad_field'],
        ['{"cmd":"add_group","group_id":true}', 'bad_field'],
        ['{"cmd":"add_group","group_id":1.5}', 'bad_field'],
        ['{"cmd":"add_group","group_id":1e300}', 'bad_field'],
        ['{"cmd":"add_group","group_id":{}}', 'bad_field'],
        ['{"cmd":"add_group","group_id":["a"]}', 'bad_field'],
        ['{"cmd":"add_group","group_id":""}', 'invalid_group'],
        ['{"cmd":"add_group","group_id":"a\\nb"}', 'invalid_group'],
        ['{"cmd":"add_group","group_id":"a\\u0000b"}', 'invalid_group'],
        ['{"cmd":"add_group","group_id":"a\\u001b[31m"}', 'invalid_group'],
        ['{"cmd":"add_group","group_id":"\\ud800"}', 'invalid_group'],
        ['{"cmd":"add_group","group_id":"\\u202eabc"}', 'invalid_group'],
        [`{"cmd":"add_group","group_id":"${'x'.repeat(256)}"}`, 'invalid_group'],
        [`{"cmd":"add_group","group_id":"${'x'.repeat(65_000)}"}`, 'invalid_group'],
        ['{"cmd":"leave_group","group_id":false}', 'bad_field'],
        ['{"cmd":"send_to_group","group_id":"g"}', 'bad_field'],
        ['{"cmd":"send_to_group","group_id":"g","message":"\\ud800"}', 'bad_field'],
        ['{"cmd":"send_to_group","group_id":"g","message":"m","message_id":7}', 'bad_field'],
        ['{"cmd":"send_to_group","group_id":"g","message":"m","exclude_self":"yes"}', 'bad_field'],
        ['{"cmd":"send_to_group","group_id":"g","message":"m","store":1}', 'bad_field'],
        ['{"cmd":"add_group","group_id":"g","last":0}', 'bad_field'],
        ['{"cmd":"history","group_id":"g","last":1}', 'bad_field'],
        ['{"cmd":"resume","positions":[]}', 'bad_field'],
        ['{"cmd":"add_group","group_id":"$g"}', 'forbidden', 'join'],
        ['{"cmd":"add_group","group_id":"$g","since":{"epoch":"e","offset":1}}', 'forbidden', 'join'],
        ['{"cmd":"add_group","group_id":"$g","last":1}', 'forbidden', 'join'],
        ['{"cmd":"send_to_group","group_id":"$g","message":"m"}', 'forbidden', 'publish'],
        ['{"cmd":"send_to_group","group_id":"$","message":"m","store":false}', 'forbidden', 'publish'],
        ['{"cmd":"group_info","group_id":"$g"}', 'forbidden', 'info'],
        ['{"cmd":"ping","id":{}}', 'bad_field'],
        ['{"cmd":"ping","id":1e999}', 'bad_field'],
        ['{"cmd":"ping","id":9007199254740993}', 'bad_field'],
      ] as const
    ).map(([text, code, operation]) => [text.slice(0, 60), code, text, operation] as const),
  )('%s is answered with %s, and the connection goes on', async (_, code, text, operation) => {
    const client = await TestClient[mode](started.url);
    client.send(text);
    const error = await client.event();
    expect(error).toEqual({ type: 'error', code, message: expect.any(String), operation });
    expect(await client.ask({ cmd: 'ping', id: 1 })).toEqual({ type: 'ack', id: 1 });
    expect(started.gateway.stats().rejected).toMatchObject({ [code]: 1 });
    expect(started.gateway.stats().groups).toBe(0);
    expect(started.hub.calls).toEqual([]);
  });
});

test.each(['plain', 'v1'] as const)('a history of a system group is forbidden in %s mode', async (mode) => {
  const client = await TestClient[mode](started.url);
  const message = 'This name belongs to the system. Use a name without $.';
  const error = { type: 'error', id: 1, code: 'forbidden', message, operation: 'history' };
  expect(await client.ask({ cmd: 'history', group_id: '$g', last: 1, id: 1 })).toEqual(error);
  expect(started.hub.calls).toEqual([]);
});

test('an error carries the id of its command', async () => {
  const client = await TestClient.plain(started.url);
  expect(await client.ask({ cmd: 'add_group', group_id: '', id: 'a' })).toMatchObject({
    type: 'error',
    id: 'a',
  });
  expect(await client.ask({ cmd: 'nonsense', id: 9 })).toMatchObject({ type: 'error', id: 9 });
  expect(await client.ask({ cmd: 'send_to_group', group_id: 'g', id: 0 })).toMatchObject({
    type: 'error',
    id: 0,
  });
});

test('names of object properties are ordinary groups, and unknown fields are ignored', async () => {
  const client = await TestClient.v1(started.url);
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf']) {
    const text = `{"cmd":"add_group","group_id":"${name}","id":"${name}","__proto__":{"x":1},"constructor":1}`;
    client.send(text);
    expect(await client.event()).toMatchObject({ type: 'ack', id: name, group_id: name });
    client.send({ cmd: 'send_to_group', group_id: name, message: name });
    expect(await client.event()).toMatchObject({ type: 'message', group_id: name, message: name });
  }
  expect(Reflect.get({}, 'x')).toBeUndefined();
});

describe('too many rejections', () => {
  test('ten invalid commands close the connection with 4500', async () => {
    const member = await TestClient.plain(started.url);
    const client = await TestClient.v1(started.url);
    for (let strike = 0; strike < 10; strike++) client.send('nonsense');
    for (let strike = 0; strike < 10; strike++)
      expect(await client.event()).toMatchObject({ code: 'bad_json' });
    expect(await client.event()).toEqual({
      type: 'disconnect',
      code: 4500,
      reason: 'Too many invalid commands. Fix the client.',
      reconnect: false,
    });
    expect(await client.ended).toEqual({
      code: 4500,
      reason: 'Too many invalid commands. Fix the client.',
    });
    expect(await member.ask({ cmd: 'ping', id: 1 })).toEqual({ type: 'ack', id: 1 });
    await untilTurn(() => started.gateway.stats().connections === 1);
    expect(started.gateway.stats().closed.bad_request).toBe(1);
  });

  test('the 129th group is rejected, and ten such joins close with 4505', async () => {
    const client = await TestClient.plain(started.url);
    for (let group = 0; group < 128; group++) client.send({ cmd: 'add_group', group_id: group });
    for (let group = 128; group < 138; group++) {
      expect(await client.ask({ cmd: 'add_group', group_id: group, id: group })).toMatchObject({
        type: 'error',
        id: group,
        code: 'group_limit',
      });
    }
    expect((await client.ended).code).toBe(4505);
    expect(started.hub.calls.length).toBe(128);
    await untilTurn(() => started.gateway.stats().connections === 0);
    started.advance(3);
    expect([started.gateway.stats().groups, started.hub.channels]).toEqual([0, 0]);
  });

  test('messages beyond the rate are rejected with their ids, and then closed with 1008', async () => {
    await started.gateway.close();
    await start({ messagesBurst: 5, messagesPerSecond: 0.001 });
    const client = await TestClient.v1(started.url);
    for (let id = 1; id <= 20; id++) client.send({ cmd: 'ping', id });
    const events = [];
    for (let count = 0; count < 16; count++) events.push(await client.event());
    expect(events.slice(0, 5)).toEqual([1, 2, 3, 4, 5].map((id) => ({ type: 'ack', id })));
    expect(events.slice(5, 15)).toMatchObject(
      [6, 7, 8, 9, 10, 11, 12, 13, 14, 15].map((id) => ({ type: 'error', id, code: 'rate_limited' })),
    );
    expect(events[15]).toMatchObject({ type: 'disconnect', code: 1008, reconnect: true });
    expect((await client.ended).code).toBe(1008);
    await untilTurn(() => started.gateway.stats().connections === 0);
    expect(started.gateway.stats().closed.policy).toBe(1);
  });
});

test('a binary message closes with 1003', async () => {
  const client = await TestClient.v1(started.url);
  client.ws.send(Buffer.from('{"cmd":"ping"}'));
  expect(await client.event()).toMatchObject({ type: 'disconnect', code: 1003 });
  expect((await client.ended).code).toBe(1003);
});

test('a defect in a command closes its connection, not the worker, and the log has no text of the client', async () => {
  await started.gateway.close();
  const lines: unknown[][] = [];
  const write = (...line: unknown[]): void => {
    lines.push(line);
  };
  await start({ log: { debug: write, info: write, warn: write, error: write } });
  const [client, other] = [await TestClient.v1(started.url), await TestClient.v1(started.url)];
  started.hub.defect = new Error('a defect');
  client.send({ cmd: 'send_to_group', group_id: 'canary-group', message: 'canary-message', id: 'canary-id' });
  expect(await client.event()).toMatchObject({ type: 'error', id: 'canary-id', code: 'internal_error' });
  expect(await client.event()).toMatchObject({ type: 'disconnect', code: 1011, reconnect: true });
  expect((await client.ended).code).toBe(1011);
  expect(await other.ask({ cmd: 'ping', id: 1 })).toEqual({ type: 'ack', id: 1 });
  expect(lines).toEqual([[{ error: new Error('a defect'), clientId: client.clientId }, 'a command failed']]);
});

test('no log has hostile text, in any place where a client can put it', async () => {
  await started.gateway.close();
  const lines: unknown[][] = [];
  const write = (...line: unknown[]): void => {
    lines.push(line);
  };
  await start({
    log: { debug: write, info: write, warn: write, error: write },
    allowedOrigins: ['http://ok.test'],
  });
  const canary = 'canary\u001b[31m';
  const rejected = new TestClient(started.url, [], { origin: 'http://canary.test' });
  await rejected.ended;
  const client = new TestClient(`${started.url}/canary?token=canary`, [], { origin: 'http://ok.test' });
  for (const command of [
    canary,
    { cmd: canary },
    { cmd: 'add_group', group_id: canary },
    { cmd: 'ping', id: canary },
  ]) {
    if (client.ws.readyState === 0) await new Promise((resolve) => client.ws.once('open', resolve));
    client.send(command);
    await client.message();
  }
  client.ws.close(4_999, canary);
  await client.ended;
  expect(JSON.stringify(lines)).not.toContain('canary');
});
