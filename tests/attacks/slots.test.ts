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
/** More than the limit of pending sockets: at a hub per address, at an admin port in total. */
const SILENT = '80';
const SECRET = 'a-secret-that-only-tests-use-0123456789';
const CONNECTIONS_MAX = 300;
const PEERS_MAX = 100;

interface SilentPeers {
  /** Address of the silent peers, and of the link to be opened. */
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
    'the limit of silent sockets of its address is reached',
    () => ({
      host: outerAddress(),
      count: Number(SILENT),
      flags: { host: '0.0.0.0', secretFile: secretFile() },
    }),
  ],
  [
    'more sockets of its machine are silent than the limit of peers',
    () => ({ host: '127.0.0.1', count: 150, flags: { peersMax: PEERS_MAX } }),
  ],
])('a gateway can connect to a hub at which %s', async (_, peers) => {
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

test('an admin port answers while it has silent sockets', async () => {
  const hub = await startHub();
  const { adminPort } = await startGateway({ hub: hub.address });
  const attacker = await Attacker.start('silentSockets', adminPort, SILENT);
  const roundTrip = async (): Promise<void> => {
    const { status } = await adminRequest(adminPort, '/healthz');
    if (status !== 200) throw new Error(`/healthz answered ${status}.`);
  };
  await expectUndisturbed({ roundTrip, everyMs: EVERY_MS }, attacker);
});

test('a WebSocket opens at a worker with as many silent sockets as its limit of connections', async () => {
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
