import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type StartedGateway, startGateway } from '../testing/start-gateway.ts';
import { TestClient } from '../testing/test-client.ts';

let started: StartedGateway;

beforeEach(async () => {
  started = await startGateway();
});

afterEach(async () => {
  await started.gateway.close();
});

const EPHEMERAL = { cmd: 'send_to_group', group_id: 'g', store: false };

describe('a message that is not stored', () => {
  test('reaches the members, and its ack has no position', async () => {
    const [plain, v1] = await Promise.all([TestClient.plain(started.url), TestClient.v1(started.url)]);
    await plain.ask({ cmd: 'add_group', group_id: 'g', id: 1 });
    await v1.ask({ cmd: 'add_group', group_id: 'g', id: 1 });
    v1.send({ ...EPHEMERAL, message: 'typing', id: 2 });
    const from = { client_id: v1.clientId };
    expect(await v1.event()).toEqual({ type: 'message', group_id: 'g', message: 'typing', from });
    expect(await v1.event()).toEqual({ type: 'ack', id: 2, group_id: 'g', stored: false });
    expect(await plain.message()).toBe('typing');
    const sent = { cmd: 'send_to_group', group_id: 'g', message: 'stored', store: true, id: 3 };
    expect(await v1.ask(sent)).toMatchObject({ type: 'message', offset: 1, message: 'stored' });
    expect(await v1.event()).toEqual({ type: 'ack', id: 3, group_id: 'g', epoch: 'epoch-1', offset: 1 });
  });

  test('is not for a sender that excludes itself', async () => {
    const v1 = await TestClient.v1(started.url);
    await v1.ask({ cmd: 'add_group', group_id: 'g', id: 1 });
    const ack = { type: 'ack', id: 2, group_id: 'g', stored: false };
    expect(await v1.ask({ ...EPHEMERAL, message: 'typing', exclude_self: true, id: 2 })).toEqual(ack);
  });

  test('is in no recovery', async () => {
    const v1 = await TestClient.v1(started.url);
    const ack = { type: 'ack', id: 1, group_id: 'g', stored: false };
    expect(await v1.ask({ ...EPHEMERAL, message: 'typing', id: 1 })).toEqual(ack);
    const since = { epoch: 'epoch-1', offset: 0 };
    expect(await v1.ask({ cmd: 'add_group', group_id: 'g', since, id: 2 })).toEqual({
      type: 'ack',
      id: 2,
      group_id: 'g',
      ...since,
      recovered: true,
    });
    expect(await v1.ask({ cmd: 'ping', id: 3 })).toEqual({ type: 'ack', id: 3 });
  });

  test('without an id has no reply, and with the hub away an error', async () => {
    const v1 = await TestClient.v1(started.url);
    v1.send({ ...EPHEMERAL, message: 'typing' });
    expect(await v1.ask({ cmd: 'ping', id: 1 })).toEqual({ type: 'ack', id: 1 });
    started.hub.away = true;
    expect(await v1.ask({ ...EPHEMERAL, message: 'typing', id: 2 })).toMatchObject({
      type: 'error',
      id: 2,
      code: 'hub_unavailable',
    });
  });
});
