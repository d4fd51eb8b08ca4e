import { execFileSync } from 'node:child_process';
import { freePort } from '@groupcast/testkit';
import { bundleOf } from '../paths.ts';
import { type Running, start, stopBoth } from './processes.ts';
import type { System } from './system.ts';

/** Flags of both apps by name; true for one without a value. */
export type Flags = Readonly<Record<string, string | number | true>>;

/** The whole of this project: a hub and a gateway of two workers. */
export const GROUPCAST = 'groupcast';
export const GROUPCAST_8 = 'groupcast, 8 workers';
/** Two workers have not enough files for 50,000 connections if a process may open 20,000. */
const WORKERS_FOR_50K = 4;

/** Limits of a connection or a worker that a load from one address would reach. */
const LIMITS: Readonly<Record<string, string>> = {
  '--handshakes-per-second': '0',
  '--messages-per-second': '100000',
  '--messages-burst': '100000',
  '--message-bytes-per-second': '1000000000',
  '--message-bytes-burst': '1000000000',
  // Names of the same two in older checkouts, for --before.
  '--bytes-per-second': '1000000000',
  '--bytes-burst': '1000000000',
  '--group-bytes-per-second': '1000000000',
  '--group-bytes-burst': '4000000',
};

/** This project, as built in a checkout, with as many workers as the peers. */
export function groupcasts(root: string): readonly System[] {
  return [groupcast(root, GROUPCAST, 2), groupcast(root, GROUPCAST_8, 8)];
}

/** Two workers and a hub with flags that switch a part of them off. */
export function groupcastWithout(root: string, name: string, flags: Flags): System {
  return groupcast(root, name, 2, flags);
}

/** This project with more connections than two workers take. */
export function largeGroupcast(root: string): System {
  return groupcast(root, 'groupcast, 4 workers', WORKERS_FOR_50K);
}

/** Two workers with flags of the gateway alone. */
export function gatewayWith(root: string, name: string, flags: Flags): System {
  return groupcast(root, name, 2, {}, flags);
}

/**
 * A hub and a gateway as they are deployed, all at defaults but for the limits above. `extra` has
 * flags of both, and `own` those of the gateway alone.
 */
function groupcast(root: string, name: string, workers: number, extra: Flags = {}, own: Flags = {}): System {
  return {
    name,
    protocol: 'groupcast',
    version: `hub and ${workers} workers, Node ${process.version}`,
    isOurs: true,
    start: async () => {
      const hub = await startHub(root, extra);
      try {
        const port = await freePort();
        const flags = { '--port': port, '--hub': `127.0.0.1:${hub.port}`, '--workers': workers };
        const gateway = await startApp(root, 'ws-gateway', { ...flags, ...limitsOf(root), ...extra, ...own });
        const pids = [...hub.pids, ...gateway.pids];
        return { url: `ws://127.0.0.1:${port}`, pids, stop: stopBoth(gateway, hub) };
      } catch (error) {
        await hub.stop();
        throw error;
      }
    },
  };
}

/** A hub at its defaults but for the flags, on a port of its own. */
export async function startHub(
  root: string,
  flags: Flags = {},
): Promise<Running & { readonly port: number }> {
  const port = await freePort();
  return { port, ...(await startApp(root, 'channel-hub', { '--port': port, ...flags })) };
}

/** Another checkout may not know all flags: its gateway would not start with an unknown one. */
function limitsOf(root: string): Readonly<Record<string, string>> {
  const help = execFileSync(process.execPath, [bundleOf('ws-gateway', root), 'start', '--help']).toString();
  return Object.fromEntries(Object.entries(LIMITS).filter(([flag]) => help.includes(`${flag} `)));
}

async function startApp(root: string, app: string, flags: Flags): Promise<Running> {
  const adminPort = await freePort();
  const given: Flags = { ...flags, '--admin-port': adminPort };
  const all = Object.entries(given).flatMap(([flag, value]) =>
    value === true ? [flag] : [flag, String(value)],
  );
  return start(process.execPath, [bundleOf(app, root), 'start', ...all], () => isReady(adminPort));
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
