import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type StartedGateway, startGateway } from './fixtures/start-gateway.ts';
import { TestClient } from './fixtures/test-client.ts';

let started: StartedGateway;

beforeEach(async () => {
  started = await startGateway();
});

afterEach(async () => {
  await started.gateway.close();
});

describe('the origin', () => {
  test('a client that joins a group and sends to it gets its own raw text', async () => {
    const client = await TestClient.plain(started.url);
    client.send('{"cmd":"add_group", "group_id":"123"}');
    client.send('{"cmd":"send_to_group", "group_id":"123", "message":"これはメッセージです"}');
    expect(await client.message()).toBe('これはメッセージです');
  });
});
