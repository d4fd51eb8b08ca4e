import { once } from 'node:events';
import { connect } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createNonce, Link } from '@groupcast/link';
import { native } from '@groupcast/protocol';
import { SILENT_LOG } from '@groupcast/service';
import { TEXT_FIELDS } from '@groupcast/testkit/in-process';
import { expect, test } from 'vitest';
import { MemoryEngine } from '../src/engine/memory/memory-engine.ts';
import type { Hub } from '../src/hub.ts';
import { channel, prefix } from '../testing/native-peer.ts';
import { startHub, until } from '../testing/start-hub.ts';

const SUBJECTS = 500;
const ROUNDS = 200;

/**
 * Connects a peer, subscribes, receives a publication and disconnects; keeps nothing in the heap.
 */
async function comeAndGo(port: number, round: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const names = Array.from({ length: SUBJECTS }, (_, index) => `group:${round} ${index}`);
  const fields = TEXT_FIELDS;
  await new Promise<void>((resolve) => {
    const link = new Link(socket, {
      receiveSpan: (bytes, start, end) => {
        if (native.decodeNative(bytes.subarray(start, end)).type === 'published') link.destroy();
        return end - start;
      },
      closed: () => resolve(),
    });
    link.send(native.encodeHello({ version: 1, nonce: createNonce(), name: `${round}` }));
    const subjects = [...names.map(channel), prefix(`group:${round}`)];
    link.send(native.encodeSubscribe({ request: 1, subjects }));
    // Half of the peers unsubscribe, the others disconnect with their subscriptions.
    if (round % 2 === 0) link.send(native.encodeUnsubscribe(subjects));
    const payload = new Uint8Array(100);
    link.send(native.encodePublish({ channel: names[0] ?? '', ...fields, payload, number: 1 }));
  });
}

/** Whether the hub is empty; returned positions are kept a little longer than channels. */
function isEmpty(hub: Hub): boolean {
  const { engineChannels, history, connectedPeers } = hub.stats();
  return connectedPeers === 0 && engineChannels === 0 && history.positions === 0;
}

test('100,000 subscriptions that came and went leave the heap where it was', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const { hub, port } = await startHub({ log: SILENT_LOG, engine: new MemoryEngine({ ageMs: 50 }) });
  for (let round = 0; round < ROUNDS / 4; round++) await comeAndGo(port, round);
  await until(() => isEmpty(hub));
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  for (let round = 0; round < ROUNDS; round++) await comeAndGo(port, round);
  // Only history outlives its peers, for a short time.
  await until(() => isEmpty(hub));
  collectGarbage();
  const grownBytes = process.memoryUsage().heapUsed - before;
  expect(hub.stats()).toMatchObject({ channels: 0, prefixes: 0, subscriptions: 0, engineChannels: 0 });
  expect(hub.stats().history).toMatchObject({ publications: 0, bytes: 0 });
  expect(hub.stats().published).toBe(ROUNDS + ROUNDS / 4);
  // One number per subscription would take as much.
  expect(grownBytes).toBeLessThan(8 * SUBJECTS * ROUNDS);
}, 60_000);
