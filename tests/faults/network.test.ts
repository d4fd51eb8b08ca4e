import { encodeFrame, encodeText } from '@groupcast/protocol';
import { type ProxyDirection, RawSocket, TcpProxy, TestClient, until } from '@groupcast/testkit';
import { clientFrame, handshake, TEXT } from '@groupcast/testkit/in-process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { JsonPeer } from '../conformance/json-peer.ts';
import { Cluster } from './cluster.ts';
import { expectValid } from './expect-valid.ts';
import {
  clientsCut,
  frontReset,
  linkBad,
  linkBlackhole,
  linkCut,
  linkReset,
} from './inject/network-faults.ts';
import { SMALL_LOAD } from './load/load.ts';
import { type RunReport, runOn } from './run.ts';

// Heartbeat of links and clients in seconds: after three silent intervals a link is closed.
const HEARTBEAT_SECONDS = 1;

let cluster: Cluster;
/** Proxy between the gateway and the half-open client. */
let halfOpen: TcpProxy;
let halfOpenClient: TestClient;

beforeAll(async () => {
  cluster = await Cluster.start({
    workers: 2,
    hub: { heartbeatSeconds: HEARTBEAT_SECONDS },
    gateway: { heartbeatSeconds: HEARTBEAT_SECONDS },
  });
  // Detection takes its time: the other tests run meanwhile.
  halfOpen = await TcpProxy.start({ target: cluster.first.gateway.port });
  halfOpenClient = await TestClient.open(`ws://${halfOpen.address}`, { protocol: 'groupcast.v1' });
  halfOpenClient.sendCommand({ cmd: 'add_group', group_id: 'half-open', id: 'join' });
  await halfOpenClient.reply('join');
  halfOpen.blackhole();
});
afterAll(async () => {
  await cluster.close();
  await halfOpen.close();
});

/** No member lost a message, and no client saw an event. */
function expectUnnoticed(report: RunReport): void {
  expectValid(report);
  expect(report.closes.size).toBe(0);
  expect(report.verdict.counts.notRecovered.size).toBe(0);
}

describe('F9: gateway and hub cannot reach each other', () => {
  const WAYS: readonly (readonly [string, readonly ProxyDirection[]])[] = [
    ['both ways', ['up', 'down']],
    ['towards the hub', ['up']],
    ['towards the gateway', ['down']],
  ];

  test('for less than the timeout: the link survives', async () => {
    const links = cluster.first.link.accepted;
    const report = await runOn(cluster, (context) => linkBlackhole(1_500).inject(context));
    expectUnnoticed(report);
    expect(cluster.first.link.accepted).toBe(links);
  });

  test.each(WAYS)(
    '%s, for longer: the link is replaced, and missed messages are recovered',
    async (_, ways) => {
      const links = cluster.first.link.accepted;
      const report = await runOn(cluster, (context) => linkBlackhole(4_500, ways).inject(context));
      expectUnnoticed(report);
      expect(cluster.first.link.accepted).toBeGreaterThan(links);
    },
  );
});

describe('links that break', () => {
  test('repeatedly, by a reset, by an orderly end, and within a frame: nothing is lost', async () => {
    const report = await runOn(cluster, async (context) => {
      for (const fault of [linkCut('rst'), linkCut('fin'), linkReset(), linkReset(), linkCut('rst')]) {
        await fault.inject(context);
      }
    });
    expectUnnoticed(report);
  });
});

describe('F11: a bad link', () => {
  test.each([{ sliceBytes: 1 }, { delayMs: 60, jitterMs: 80 }, { bytesPerSecond: 125_000 }])(
    '%o: late, and complete',
    async (conditions) => {
      expectUnnoticed(await runOn(cluster, (context) => linkBad(2_000, conditions).inject(context)));
    },
  );
});

describe('clients that are cut', () => {
  test('within sent and received data: they resume, and every publish is stored once', async () => {
    const frontUrl = (): string => cluster.frontUrls[0]!;
    const faults = Array.from({ length: 8 }, () => frontReset());
    const report = await runOn(
      cluster,
      async (context) => {
        for (const fault of faults) await fault.inject(context);
        await clientsCut(0.5).inject(context);
      },
      { url: frontUrl },
    );
    expectValid(report);
    expect(report.verdict.counts.notRecovered.size).toBe(0);
    expect(report.verdict.counts.recovered).toBeGreaterThan(SMALL_LOAD.members);
  });
});

test('F10: a half-open client is detected, and removed from its group', async () => {
  const { gateway } = cluster.first;
  await until(
    async () => (await gateway.stats()).connections,
    'the end of the half-open client',
    (count) => count === 0,
  );
  // The client could not be reached, and was not told.
  expect(halfOpen.connections).toBe(1);
  await until(
    async () => (await cluster.hub.stats()).channels,
    'a hub without a subscription to the group',
    (count) => count === 0,
  );
  halfOpen.heal();
  await halfOpenClient.closed;
});

describe('F23: the frame of a publisher that is killed within it', () => {
  test('is not published by the hub', async () => {
    const subscriber = await JsonPeer.open(cluster.hub.port);
    await subscriber.send({ type: 'subscribe', channels: ['torn'] });
    const publisher = await RawSocket.open({ port: cluster.hub.port });
    const { published } = await cluster.hub.stats();
    const frame = encodeFrame(encodeText('{"type":"publish","channels":["torn"],"data":"torn"}'));
    await publisher.write(frame);
    await publisher.write(frame.subarray(0, frame.length - 1));
    await subscriber.reply(({ data }) => data === 'torn');
    publisher.reset();
    await until(
      async () => (await cluster.hub.stats()).connectedPeers,
      'the hub to see the end of the publisher',
      // Both workers, and the subscriber.
      (count) => count === 3,
    );
    expect((await cluster.hub.stats()).published).toBe(published + 1);
    expect(subscriber.replies.filter(({ data }) => data === 'torn')).toHaveLength(1);
    subscriber.socket.destroy();
  });

  test('is not published by a gateway', async () => {
    const { gateway } = cluster.first;
    const member = await TestClient.open(gateway.url);
    member.sendCommand({ cmd: 'add_group', group_id: 'torn', id: 'join' });
    await member.reply('join');
    const publisher = await RawSocket.open({ port: gateway.port });
    await publisher.write(handshake());
    await publisher.waitFor((bytes) => bytes.includes('\r\n\r\n'));
    const command = '{"cmd":"send_to_group","group_id":"torn","message":"torn"}';
    const frame = clientFrame(TEXT, command);
    await publisher.write(frame);
    expect((await member.next()).text).toBe('torn');
    await publisher.write(frame.subarray(0, frame.length - 1));
    publisher.reset();
    await until(
      async () => (await gateway.stats()).connections,
      'the gateway to see the end of the publisher',
      (count) => count === 1,
    );
    member.sendCommand({ cmd: 'send_to_group', group_id: 'torn', message: 'whole' });
    expect((await member.next()).text).toBe('whole');
    await member.close();
  });
});
