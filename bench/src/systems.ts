import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleOf, PEERS } from './paths.ts';
import { compileFloor, versionOf } from './prepare.ts';
import { freePort, listens, type Running, start } from './processes.ts';

/** A server of WebSockets under load. */
export interface Served extends Running {
  readonly url: string;
}

/** Something that groups WebSockets. */
export interface System {
  readonly name: string;
  /** What the load generator must speak. */
  readonly protocol: 'groupcast' | 'socket.io' | 'nats';
  readonly version: string;
  /** Undefined where it can be started; otherwise what is missing. */
  readonly missing?: string | undefined;
  start(): Promise<Served>;
}

const NODE = process.execPath;
const BUN = `${PEERS}node_modules/.bin/bun`;
/** What installs the peers from Debian. */
export const APT = 'apt-get install redis-server nats-server';

/** The floor with one write per member and message, and with one per member and turn. */
export const FLOOR = 'floor';
export const FLOOR_BATCH = 'floor, batched';
/** The whole of this project: a hub and a gateway of two workers. */
export const GROUPCAST = 'groupcast';
export const SOCKET_IO_2 = 'socket.io, 2 workers';
export const GROUPCAST_8 = 'groupcast, 8 workers';
/** Two workers have not enough files for 50,000 connections where a process may open 20,000. */
const WORKERS_FOR_50K = 4;

/** All systems, those that cannot run on this machine among them. */
export function systems(): readonly System[] {
  const cc = compileFloor();
  const bun = versionOf(BUN, ['--version']);
  const nats = versionOf('nats-server', ['--version']);
  const redis = versionOf('redis-server', ['--version']);
  return [
    floor(FLOOR, cc, []),
    floor(FLOOR_BATCH, cc, ['--batch']),
    groupcast(GROUPCAST, 2),
    groupcast(GROUPCAST_8, 8),
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

/** This project with more connections than two workers take. */
export function largeGroupcast(): System {
  return groupcast('groupcast, 4 workers', WORKERS_FOR_50K);
}

/** A hub and a gateway as they are deployed, all at defaults but for what a load from one address would run into. */
function groupcast(name: string, workers: number): System {
  return {
    name,
    protocol: 'groupcast',
    version: `hub and ${workers} workers, Node ${process.version}`,
    start: async () => {
      const hub = await startHub();
      const [port, adminPort] = [await freePort(), await freePort()];
      const ports = [
        '--port',
        String(port),
        '--admin-port',
        String(adminPort),
        '--hub',
        `127.0.0.1:${hub.port}`,
      ];
      const limits = [
        '--handshakes-per-second',
        '0',
        '--messages-per-second',
        '100000',
        '--messages-burst',
        '100000',
      ];
      const args = [bundleOf('ws-gateway'), 'start', '--workers', String(workers), ...ports, ...limits];
      const gateway = await start(NODE, args, () => isReady(adminPort)).catch(async (error: unknown) => {
        await hub.stop();
        throw error;
      });
      const pids = [...hub.pids, ...gateway.pids];
      return { url: `ws://127.0.0.1:${port}`, pids, stop: stopBoth(gateway, hub) };
    },
  };
}

/** A hub at its defaults, on a port of its own. */
export async function startHub(): Promise<Running & { readonly port: number }> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const args = [bundleOf('channel-hub'), 'start', '--port', String(port), '--admin-port', String(adminPort)];
  const running = await start(NODE, args, () => isReady(adminPort));
  return { port, ...running };
}

/** Stops two servers, the second one also when the first has ended by itself. */
function stopBoth(first: Running, second: Running): () => Promise<void> {
  return async () => {
    try {
      await first.stop();
    } finally {
      await second.stop();
    }
  };
}

async function serve(command: (port: number) => readonly string[]): Promise<Served> {
  const port = await freePort();
  const [program = '', ...args] = command(port);
  const running = await start(program, args, () => listens(port), { cwd: PEERS });
  return { url: `ws://127.0.0.1:${port}`, ...running };
}

async function isReady(adminPort: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${adminPort}/readyz`);
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
