import { HubClient } from '@groupcast/hub-client';
import { encodeFrame } from '@groupcast/protocol';
import { RawSocket, TestClient } from '@groupcast/testkit';
import { BINARY, clientFrame, handshake, TEXT } from '@groupcast/testkit/in-process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BAD_COMMANDS } from '../conformance/bad-commands.ts';
import { BAD_BODIES, BAD_FRAMES } from '../conformance/bad-frames.ts';
import { Cluster } from './cluster.ts';
import { expectValid } from './expect-valid.ts';
import { runOn } from './run.ts';

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start();
});
afterAll(() => cluster.close());

const DEEP = '['.repeat(5_000) + ']'.repeat(5_000);

/** Input that no correct client sends. */
const FRAMES: readonly Buffer[] = [
  ...BAD_COMMANDS.map(([text]) => clientFrame(TEXT, text)),
  clientFrame(TEXT, `{"cmd":"ping","x":${DEEP}}`),
  clientFrame(TEXT, `{"cmd":"ping","id":1,"${'k'.repeat(60_000)}":1}`),
  clientFrame(TEXT, `{"cmd":"add_group","group_id":"${'g'.repeat(60_000)}"}`),
  clientFrame(TEXT, Uint8Array.of(0xff, 0xfe)),
  clientFrame(TEXT, Buffer.alloc(70_000, 'x')),
  clientFrame(BINARY, 'binary'),
  clientFrame(0xf1, 'reserved bits'),
  Buffer.of(0x81, 0x03, 0x61, 0x62, 0x63),
];

/** Payloads from a trusted peer of the hub. */
const PAYLOADS: readonly (readonly [kind: 'text' | 'json' | 'bytes', payload: Uint8Array])[] = [
  ['text', Uint8Array.of(0xff)],
  ['json', Buffer.from('{"cut')],
  ['json', Buffer.from(DEEP)],
  ['json', Buffer.from(JSON.stringify({ ['k'.repeat(65_536)]: 1, ['__proto__']: { polluted: true } }))],
  ['bytes', Uint8Array.of(0xc3, 0x28)],
  ['text', new Uint8Array()],
];

async function poisonGateway(port: number): Promise<number> {
  for (const frame of FRAMES) {
    const socket = await RawSocket.open({ port });
    await socket.write(handshake());
    await socket.waitFor((bytes) => bytes.includes('\r\n\r\n'));
    const before = socket.bytesReceived;
    await socket.write(frame);
    // An answer, an error or a close frame: never silence.
    await socket.waitForBytes(before + 2);
    socket.reset();
  }
  return FRAMES.length;
}

async function poisonHub(port: number): Promise<number> {
  const bodies = BAD_BODIES.map(([, body]) => encodeFrame(body));
  for (const bytes of [...BAD_FRAMES.map(([, frame]) => frame), ...bodies]) {
    const socket = await RawSocket.open({ port });
    await socket.write(bytes);
    await socket.closed;
  }
  return BAD_FRAMES.length + bodies.length;
}

async function poisonMembers(): Promise<number> {
  const members = await Promise.all([
    TestClient.open(cluster.first.gateway.url, { protocol: 'groupcast.v1' }),
    TestClient.open(cluster.first.gateway.url),
  ]);
  for (const member of members) {
    member.sendCommand({ cmd: 'add_group', group_id: 'poison', id: 'join' });
    await member.reply('join');
  }
  const peer = new HubClient({ port: cluster.hub.port });
  peer.connect();
  for (const [kind, payload] of PAYLOADS) await peer.publish('group:poison', payload, { kind });
  await peer.publish('group:poison', 'sound');
  for (const member of members) await member.nextMatching(({ text }) => text.includes('sound'));
  peer.close();
  for (const member of members) await member.close();
  return PAYLOADS.length;
}

test('F19: poison from clients, from strangers at the hub and from its trusted peers ends no process, and cuts no other connection', async () => {
  const { gateway } = cluster.first;
  const pids = (await gateway.stats()).workers.map(({ pid }) => pid);
  const report = await runOn(cluster, async ({ log }) => {
    const prove = log.addFault('poison');
    const counts = [
      await poisonGateway(gateway.port),
      await poisonHub(cluster.hub.port),
      await poisonMembers(),
    ];
    prove(`${counts.join(', ')} pieces of poison`);
  });
  expectValid(report);
  expect(report.closes.size).toBe(0);
  const { workers, restarts } = await gateway.stats();
  expect(restarts).toBe(0);
  expect(workers.map(({ pid }) => pid)).toEqual(pids);
  // It answers, so it is alive.
  await cluster.hub.stats();
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});
