import { spawn } from 'node:child_process';
import { bundleOf } from '../paths.ts';
import type { Served, System } from '../systems/system.ts';

/** The report of the load generator, as far as it is used here; docs/LOADTEST.md has all of it. */
export interface LoadResult {
  readonly deliveries: number;
  readonly deliveriesPerSecond: number;
  readonly latencyMs: { readonly p50: number; readonly p99: number } | null;
  readonly lost: number;
  readonly doubled: number;
  readonly misordered: number;
  readonly connect: { readonly connections: number; readonly perSecond: number };
  readonly server: {
    readonly cpuSeconds: number;
    readonly cpuSecondsPerMillionDeliveries: number | null;
    readonly cpuMicrosPerConnection: number | null;
    readonly rssBytesPerConnection: number | null;
  } | null;
  readonly generator: { readonly cpuShare: number; readonly limited: boolean };
}

/** Runs the load generator once. Rejects with its output when it has no result. */
export function runLoad(
  system: System,
  { url, pids, loadArgs = [] }: Served,
  args: readonly string[],
): Promise<LoadResult> {
  const all = [
    bundleOf('loadtest'),
    url,
    '--protocol',
    system.protocol,
    '--pids',
    pids.join(','),
    '--json',
    ...loadArgs,
    ...args,
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, all, { stdio: ['ignore', 'pipe', 'pipe'] });
    let result = '';
    let said = '';
    child.stdout.on('data', (chunk) => {
      result += chunk;
    });
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    child.on('error', reject);
    child.on('close', () => {
      try {
        resolve(JSON.parse(result));
      } catch {
        reject(new Error(said.trim() || 'The load generator said nothing.'));
      }
    });
  });
}
