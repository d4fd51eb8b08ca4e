import { killAll, startHub, type TestHub } from '@groupcast/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectHarmlessLog } from './harmless-log.ts';
import { hubSuite } from './hub-suite.ts';
import { PRISTINE_ENV, pristinePids } from './pristine-objects.ts';

let hub: TestHub;

beforeAll(async () => {
  hub = await startHub({}, { env: PRISTINE_ENV });
});
afterAll(killAll);

describe('a hub', () => {
  hubSuite(() => ({
    port: hub.port,
    sessions: async () => (await hub.stats()).connectedPeers,
    memoryBytes: async () => Number((await hub.stats())['memoryBytes']),
  }));
});

// The last test: it ends the hub of the others.
test('afterwards the same process runs, and exits cleanly with unchanged objects', async () => {
  const { pid, channels, connectedPeers } = await hub.stats();
  expect([pid, channels, connectedPeers]).toEqual([hub.process.pid, 0, 0]);
  expect(await hub.stop()).toEqual({ code: 0, signal: null });
  expect(pristinePids(hub.process.stderr)).toEqual([hub.process.pid]);
  expectHarmlessLog(hub.process.stderr);
});
