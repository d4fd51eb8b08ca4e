import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@groupcast/testkit';
import { PEERS, ROOT } from '../paths.ts';
import { groupcasts } from './groupcast.ts';
import { compileFloor, versionOf } from './prepare.ts';
import { listens, type Running, start, stopBoth } from './processes.ts';
import type { Served, System } from './system.ts';

const NODE = process.execPath;
const BUN = `${PEERS}node_modules/.bin/bun`;
/** Command that installs the peers from Debian. */
export const APT = 'apt-get install redis-server nats-server';

/** The floor with one write per member and message, and with one per member and event-loop turn. */
export const FLOOR = 'floor';
export const FLOOR_BATCH = 'floor, batched';
export const SOCKET_IO_2 = 'socket.io, 2 workers';

/** All systems, including those that cannot run on this machine. */
export function systems(): readonly System[] {
  const cc = compileFloor();
  const bun = versionOf(BUN, ['--version']);
  const nats = versionOf('nats-server', ['--version']);
  const redis = versionOf('redis-server', ['--version']);
  return [
    floor(FLOOR, cc, []),
    floor(FLOOR_BATCH, cc, ['--batch']),
    ...groupcasts(ROOT),
    peer('ws, a loop of send', `ws 8.23, Node ${process.version}`, [NODE, 'ws-loop.mjs']),
    socketIo('socket.io, 1 process', 'single'),
    socketIo(SOCKET_IO_2, 'cluster'),
    socketIoRedis(redis),
    {
      ...peer('bun, native publish', `Bun ${bun}`, [BUN, 'bun.mjs']),
      missing: bun ? undefined : 'npm package bun',
    },
    natsServer(nats),
  ];
}

function floor(name: string, program: string | undefined, flags: readonly string[]): System {
  return {
    name,
    protocol: 'groupcast',
    version: 'C, 1 process',
    missing: program === undefined ? 'a C compiler (cc)' : undefined,
    start: () => serve((port) => [program ?? 'cc', '--port', String(port), ...flags]),
  };
}

function peer(name: string, version: string, command: readonly string[]): System {
  return { name, protocol: 'groupcast', version, start: () => serve((port) => [...command, String(port)]) };
}

function socketIo(name: string, mode: string): System {
  const command = (port: number): string[] => [NODE, 'socket-io.mjs', String(port), mode];
  return { name, protocol: 'socket.io', version: 'Socket.IO 4.8.4', start: () => serve(command) };
}

function socketIoRedis(version: string | undefined): System {
  return {
    name: 'socket.io, 2 workers, redis',
    protocol: 'socket.io',
    version: 'Socket.IO 4.8.4',
    missing: version === undefined ? APT : undefined,
    start: async () => {
      const redis = await startRedis();
      const served = await serve((port) => [
        NODE,
        'socket-io.mjs',
        String(port),
        'redis',
        String(redis.port),
      ]);
      return { url: served.url, pids: [...served.pids, ...redis.pids], stop: stopBoth(served, redis) };
    },
  };
}

/** Redis without persistence, on a port of its own. */
export async function startRedis(): Promise<Running & { readonly port: number }> {
  const port = await freePort();
  const args = ['--port', String(port), '--save', '', '--appendonly', 'no'];
  const running = await start('redis-server', args, () => listens(port));
  return { port, ...running };
}

function natsServer(version: string | undefined): System {
  return {
    name: 'nats, websocket',
    protocol: 'nats',
    version: version ?? '',
    missing: version === undefined ? APT : undefined,
    start: async () => {
      const [port, wsPort] = [await freePort(), await freePort()];
      const config = join(mkdtempSync(join(tmpdir(), 'nats-')), 'nats.conf');
      const websocket = `websocket { port: ${wsPort}, no_tls: true, compression: false }`;
      writeFileSync(config, `port: ${port}\nmax_pending: 268435456\n${websocket}\n`);
      const running = await start('nats-server', ['-c', config], () => listens(wsPort));
      return { url: `ws://127.0.0.1:${wsPort}`, ...running };
    },
  };
}

async function serve(command: (port: number) => readonly string[]): Promise<Served> {
  const port = await freePort();
  const [program = '', ...args] = command(port);
  const running = await start(program, args, () => listens(port), { cwd: PEERS });
  return { url: `ws://127.0.0.1:${port}`, ...running };
}
