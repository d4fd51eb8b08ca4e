import {
  type JsonObject,
  killAll,
  startGateway,
  startHub,
  TestClient,
  type TestGateway,
  type TestHub,
  until,
} from '@groupcast/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { statsOfAll } from './stats-of-all.ts';
import { BRIEF_HISTORY, untilEmpty } from './until-empty.ts';

const V1 = { protocol: 'groupcast.v1' };

/** Bound of the promised 3 s, twice as long for a busy machine. */
const FLOWS_AGAIN_MS = 2 * 3_000;

let hub: TestHub;
let gateway: TestGateway;
let workerPids: number[];
let plain: TestClient;
let v1: TestClient;
let sender: TestClient;
const closed: string[] = [];

async function open(name: string, options = {}): Promise<TestClient> {
  const client = await TestClient.open(gateway.url, options);
  void client.closed.then(({ code }) => closed.push(`${name} ${code}`));
  return client;
}

beforeAll(async () => {
  hub = await startHub(BRIEF_HISTORY);
  gateway = await startGateway({ hub: hub.address, workers: 2, drainSeconds: 0 });
  workerPids = (await statsOfAll(gateway, 2)).workers.map(({ pid }) => pid);
  plain = await open('plain');
  v1 = await open('v1', V1);
  sender = await open('sender');
  for (const member of [plain, v1]) {
    member.sendCommand({ cmd: 'add_group', group_id: 'room', id: 'join' });
    expect(await member.reply('join')).toMatchObject({ type: 'ack' });
  }
});
afterAll(killAll);

function untilHubLinksAre(up: boolean): Promise<unknown> {
  return until(
    async () => (await gateway.stats()).workers.map((worker) => worker.hub.state),
    `links to the hub that are ${up ? 'open' : 'lost'}`,
    (states) => states.length === workerPids.length && states.every((state) => (state === 'open') === up),
  );
}

test('kill -9 of the hub amid publishes: each publish with an id is answered once, none is delivered twice', async () => {
  const ids = Array.from({ length: 500 }, (_, index) => index);
  const publish = (id: number): void => {
    sender.sendCommand({ cmd: 'send_to_group', group_id: 'room', message: `amid ${id}`, id });
  };
  for (const id of ids.slice(0, 250)) publish(id);
  // The first answer shows that the hub is at work on them.
  await sender.messages.seen(({ json }) => json?.['id'] === 0);
  const killed = hub.kill();
  for (const id of ids.slice(250)) publish(id);
  await killed;
  await untilHubLinksAre(false);
  hub = await startHub({ ...BRIEF_HISTORY, port: hub.port, adminPort: hub.adminPort });
  const ackOf = (id: number): Promise<JsonObject | undefined> =>
    sender.messages.seen(({ json }) => json?.['id'] === id).then(({ json }) => json);
  const answers = await Promise.all(ids.map(ackOf));
  for (const answer of answers) {
    expect(answer?.['type'] === 'ack' ? 'ack' : answer?.['code']).toMatch(
      /^(ack|outcome_unknown|hub_unavailable)$/,
    );
  }
  expect(sender.messages.all).toHaveLength(ids.length);
  const texts = plain.messages.all.map(({ text }) => text).filter((text) => text.startsWith('amid'));
  expect(new Set(texts).size).toBe(texts.length);
});

test('while the hub is unreachable, joins and publishes are buffered, and sent once it is back', async () => {
  await untilHubLinksAre(true);
  await hub.kill();
  await untilHubLinksAre(false);
  const late = await open('late', V1);
  late.sendCommand({ cmd: 'add_group', group_id: 'late', id: 'join' });
  late.sendCommand({ cmd: 'send_to_group', group_id: 'late', message: 'kept', id: 'publish' });
  const silent = await open('late and without id');
  silent.sendCommand({ cmd: 'add_group', group_id: 'silent' });
  silent.sendCommand({ cmd: 'send_to_group', group_id: 'silent', message: 'kept' });

  hub = await startHub({ ...BRIEF_HISTORY, port: hub.port, adminPort: hub.adminPort });
  const readyAt = performance.now();
  const [joined, published, message] = await Promise.all([
    late.messages.seen(({ json }) => json?.['id'] === 'join'),
    late.messages.seen(({ json }) => json?.['id'] === 'publish'),
    late.messages.seen(({ json }) => json?.['type'] === 'message'),
  ]);
  expect(joined.json).toMatchObject({ type: 'ack', group_id: 'late' });
  expect(published.json).toMatchObject({ type: 'ack', group_id: 'late' });
  expect(message.json).toMatchObject({ message: 'kept', offset: published.json?.['offset'] });
  expect((await silent.next()).text).toBe('kept');

  // Each worker finds the hub at a moment of its own, and messages to those that have not are lost.
  let probes = 0;
  await until(() => {
    probes += 1;
    sender.sendCommand({ cmd: 'send_to_group', group_id: 'room', message: `probe ${probes}` });
    return [plain, v1].every((member) => member.messages.rest.some(({ text }) => text.includes('probe')));
  }, 'messages for members on all workers');
  expect(performance.now() - readyAt).toBeLessThan(FLOWS_AGAIN_MS);
});

test('a v1 member received a gap each time, with the position from which it receives all', async () => {
  sender.sendCommand({ cmd: 'send_to_group', group_id: 'room', message: 'last' });
  await v1.nextMatching(({ json }) => json?.['message'] === 'last');
  const events = v1.messages.all.map(({ json }) => json!);
  const gaps = events.filter(({ type }) => type === 'gap');
  expect(gaps).toHaveLength(2);
  for (const gap of gaps) expect(gap).toMatchObject({ group_id: 'room', reason: 'epoch_changed' });
  expect(new Set(gaps.map(({ epoch }) => epoch)).size).toBe(2);
  const later = events.slice(events.indexOf(gaps[1]!) + 1);
  expect(later.length).toBeGreaterThan(1);
  const from = Number(gaps[1]!['offset']) + 1;
  expect(later.map(({ offset }) => offset)).toEqual(later.map((_, index) => from + index));
});

test('no WebSocket was closed, and no worker has died', async () => {
  expect(closed).toEqual([]);
  const { restarts, workers } = await statsOfAll(gateway, 2);
  expect(restarts).toBe(0);
  expect(workers.map(({ pid }) => pid)).toEqual(workerPids);
});

test('a gateway that ends leaves nothing at the new hub', async () => {
  expect((await hub.stats()).channels).toBeGreaterThan(0);
  expect(await gateway.stop()).toEqual({ code: 0, signal: null });
  await untilEmpty(hub);
});
