import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HubClient } from '@groupcast/hub-client';
import {
  type AppFlags,
  adminRequest,
  killAll,
  outerAddress,
  startGateway,
  startHub,
  TestClient,
} from '@groupcast/testkit';
import { afterEach, test } from 'vitest';
import { Attacker } from './attacker.ts';
import { expectUndisturbed } from './rounds.ts';

afterEach(killAll);

const EVERY_MS = 4;
/** More than may be pending: at a hub those of one address, at an admin port all. */
const SILENT = '80';
const SECRET = 'a-secret-that-only-tests-use-0123456789';
const CONNECTIONS_MAX = 300;
const PEERS_MAX = 100;

interface SilentPeers {
  /** Of those who are silent, and of the link that wants in. */
  readonly host: string;
  readonly count: number;
  readonly flags: AppFlags;
}

function secretFile(): string {
  const file = join(mkdtempSync(join(tmpdir(), 'groupcast-attacks-')), 'secret');
  writeFileSync(file, SECRET, { mode: 0o600 });
  return file;
}

test.each<[string, () => SilentPeers]>([
  [
    'as many sockets of its address are silent as may be',
    () => ({
      host: outerAddress(),
      count: Number(SILENT),
      flags: { host: '0.0.0.0', secretFile: secretFile() },
    }),
  ],
  [
    'more sockets of its machine are silent than sessions may be',
    () => ({ host: '127.0.0.1', count: 150, flags: { peersMax: PEERS_MAX } }),
  ],
])('a gateway gets into a hub at which %s', async (_, peers) => {
  const { host, count, flags } = peers();
  const hub = await startHub(flags);
  const attacker = await Attacker.start('silentSockets', hub.port, `${count}`, host);
  const secret = 'secretFile' in flags ? { secret: SECRET } : {};
  const roundTrip = async (): Promise<void> => {
    const client = new HubClient({ host, port: hub.port, ...secret });
    const open = new Promise<void>((resolve, reject) => {
      client.on('state', (state, error) => {
        if (state === 'open') resolve();
        if (state === 'waiting') reject(error);
      });
    });
    client.connect();
    await open.finally(() => client.close());
  };
  await expectUndisturbed({ roundTrip, everyMs: EVERY_MS }, attacker);
});

test('an admin port answers while sockets are silent there', async () => {
  const hub = await startHub();
  const { adminPort } = await startGateway({ hub: hub.address });
  const attacker = await Attacker.start('silentSockets', adminPort, SILENT);
  const roundTrip = async (): Promise<void> => {
    const { status } = await adminRequest(adminPort, '/healthz');
    if (status !== 200) throw new Error(`/healthz answered ${status}.`);
  };
  await expectUndisturbed({ roundTrip, everyMs: EVERY_MS }, attacker);
});

test('a WebSocket opens at a worker at which as many sockets are silent as it may have', async () => {
  const hub = await startHub();
  const gateway = await startGateway({ hub: hub.address, connectionsMax: CONNECTIONS_MAX });
  const attacker = await Attacker.start('silentSockets', gateway.port, `${CONNECTIONS_MAX}`);
  const roundTrip = async (): Promise<void> => {
    const client = await TestClient.open(gateway.url, { protocol: 'groupcast.v1' });
    await client.next();
    client.terminate();
  };
  await expectUndisturbed({ roundTrip, everyMs: EVERY_MS }, attacker);
});
