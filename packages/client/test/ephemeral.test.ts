import { describe, expect, test, vi } from 'vitest';
import { outcomeOf, reconnect, settled, startClient, startConnected } from '../testing/start-client.ts';

const AT_5 = { epoch: 'e', offset: 5 };

describe('send with store: false', () => {
  test('resolves without a position', async () => {
    const { client, network } = startConnected();
    const sent = outcomeOf(client.group('g').send('typing', { store: false, excludeSelf: true }));
    expect(network.socket.sent).toEqual([
      { cmd: 'send_to_group', group_id: 'g', message: 'typing', exclude_self: true, store: false, id: 1 },
    ]);
    await settled();
    expect(sent).toEqual({});
    network.socket.ack({ group_id: 'g', stored: false });
    await settled();
    expect(sent).toHaveProperty('value', undefined);
  });

  test('is not_sent at once while the client is not connected', async () => {
    const { client, network } = startClient();
    const group = client.group('g');
    await expect(group.send('typing', { store: false })).rejects.toMatchObject({ code: 'not_sent' });
    network.socket.welcome();
    network.socket.end();
    await expect(group.send('typing', { store: false })).rejects.toMatchObject({ code: 'not_sent' });
    expect(network.socket.sent).toEqual([]);
  });

  test('is not_sent at once beyond the rate of the gateway', async () => {
    const { client, network } = startClient();
    network.socket.welcome({
      limits: { message_bytes: 65_536, groups: 128, messages_per_second: 1, messages_burst: 4 },
    });
    const group = client.group('g');
    for (const text of ['1', '2', '3']) void group.send(text, { store: false }).catch(() => {});
    await expect(group.send('4', { store: false })).rejects.toMatchObject({ code: 'not_sent' });
    expect(network.socket.sent).toHaveLength(3);
  });

  test.each(['hub_unavailable', 'rate_limited'])('is not repeated after %s', async (code) => {
    const { client, network } = startConnected();
    const sent = outcomeOf(client.group('g').send('typing', { store: false }));
    network.socket.refuse(code);
    await settled();
    expect(sent.error).toMatchObject({ code: 'not_sent', cause: { code } });
    await vi.advanceTimersByTimeAsync(30_000);
    expect(network.socket.sentOf('send_to_group')).toHaveLength(1);
  });

  test('is not repeated after a lost connection, because it would come twice', async () => {
    const { client, network } = startConnected();
    const sent = outcomeOf(client.group('g').send('typing', { store: false }));
    reconnect(network);
    await settled();
    expect(sent.error).toMatchObject({ code: 'outcome_unknown' });
    expect(network.socket.sent).toEqual([]);
  });

  test('is not repeated when it is not answered', async () => {
    const { client, network } = startConnected({ answerTimeoutMs: 1_000 });
    const sent = outcomeOf(client.group('g').send('typing', { store: false }));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sent.error).toMatchObject({ code: 'outcome_unknown' });
    expect(network.socket.sentOf('send_to_group')).toHaveLength(1);
  });

  test('is not reported again by a late answer, after its signal was aborted', async () => {
    const { client, network } = startConnected();
    const controller = new AbortController();
    const sent = outcomeOf(client.group('g').send('typing', { store: false, signal: controller.signal }));
    controller.abort(new Error('enough'));
    network.socket.refuse('forbidden');
    await settled();
    expect(sent.error).toMatchObject({ code: 'outcome_unknown', cause: { message: 'enough' } });
  });

  test('is bad_option with a messageId', async () => {
    const { client, network } = startConnected();
    const sent = client.group('g').send('typing', { store: false, messageId: 'mine' });
    await expect(sent).rejects.toMatchObject({ code: 'bad_option' });
    expect(network.socket.sent).toEqual([]);
  });
});

test('an ephemeral message reaches listeners and iterations, and does not move the position', async () => {
  const { client, network } = startConnected();
  const group = client.group('g');
  const heard: unknown[] = [];
  group.on('message', (message) => heard.push(message));
  const iteration = group[Symbol.asyncIterator]();
  network.socket.ack(AT_5);
  const from = { client_id: 'x' };
  network.socket.receive({ type: 'message', group_id: 'g', message: 'typing', from, at: 7 });
  network.socket.receive({ type: 'message', group_id: 'g', message: 'typing' });
  const typing = { groupId: 'g', epoch: 'e', offset: undefined, message: 'typing' };
  expect(heard).toEqual([{ ...typing, from: { clientId: 'x' }, at: 7 }, typing]);
  expect((await iteration.next()).value).toEqual(heard[0]);
  expect(group.position).toEqual(AT_5);
  reconnect(network);
  expect(network.socket.sent).toMatchObject([{ cmd: 'add_group', since: AT_5 }]);
  // The group is not joined again yet.
  network.socket.receive({ type: 'message', group_id: 'g', message: 'typing' });
  expect(heard).toHaveLength(2);
  await iteration.return(undefined);
});

test.each([null, '6', -1, 5.5, {}])(
  'a message with the offset %j is not ephemeral: it is ignored',
  (offset) => {
    const { client, network } = startConnected();
    const group = client.group('g');
    const heard: unknown[] = [];
    group.on('message', (message) => heard.push(message));
    void group.join();
    network.socket.ack(AT_5);
    network.socket.receiveData(JSON.stringify({ type: 'message', group_id: 'g', offset, message: 'x' }));
    expect(heard).toEqual([]);
    expect(group.position).toEqual(AT_5);
  },
);
