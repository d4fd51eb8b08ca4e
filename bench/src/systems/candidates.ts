import { freePort } from '@groupcast/testkit';
import { type HubLoad, loadHub } from '../load/hub-load.ts';
import type { HubWire } from '../load/hub-wire.ts';
import { runLoad } from '../load/load.ts';
import type { Candidate, Measured } from '../scenario.ts';
import { listens, type Running, start } from './processes.ts';
import type { Served, System } from './system.ts';
import { APT } from './systems.ts';

const WARM = ['--scenario', 'groups', '--window', '8', '--seconds', '4'];

/** A system under one load, optionally warmed up by another load before. */
export function candidate(system: System, args: readonly string[], warm: boolean): Candidate {
  const { name, version, missing, isOurs } = system;
  return {
    name,
    version,
    missing,
    isOurs,
    start: async () => {
      const served = await system.start();
      if (warm) await runLoad(system, served, WARM);
      return { measure: () => measured(system, served, args), stop: served.stop };
    },
  };
}

/** A system right after its start, and the same one warm. */
export function coldCandidate(system: System): Candidate {
  const { name, version, missing, isOurs } = system;
  const args = ['--scenario', 'latency', '--seconds', '10', '--warmup-seconds', '0'];
  return {
    name,
    version,
    missing,
    isOurs,
    start: async () => {
      const served = await system.start();
      const measure = async (): Promise<Measured> => {
        const { p99 } = await measured(system, served, args);
        await runLoad(system, served, WARM);
        const warm = await measured(system, served, args);
        return p99 === undefined ? warm : { ...warm, coldP99: p99 };
      };
      return { measure, stop: served.stop };
    },
  };
}

async function measured(system: System, served: Served, args: readonly string[]): Promise<Measured> {
  const { server, latencyMs, generator, deliveries, ...result } = await runLoad(system, served, args);
  const faults = result.lost + result.doubled + result.misordered;
  if (faults > 0) throw new Error(`${system.name} lost, doubled or misordered ${faults} messages.`);
  return defined({
    cpu: server?.cpuSecondsPerMillionDeliveries,
    rate: deliveries > 0 ? result.deliveriesPerSecond : result.connect.perSecond,
    p50: latencyMs?.p50,
    p99: latencyMs?.p99,
    memory: deliveries > 0 ? undefined : server?.rssBytesPerConnection,
    connect: deliveries > 0 ? undefined : server?.cpuMicrosPerConnection,
    generator: generator.cpuShare,
  });
}

/** Parameters of the loads of hubs. */
export type HubShape = Pick<HubLoad, 'publishers' | 'channels' | 'window' | 'rate' | 'seconds'>;

/** A hub alone, under a load in its own protocol. */
export function hubCandidate(
  wire: HubWire,
  version: string | undefined,
  open: () => Promise<Running & { readonly port: number }>,
  shape: HubShape,
): Candidate {
  return {
    name: wire.name,
    version: version ?? '',
    missing: version === undefined ? APT : undefined,
    start: async () => {
      const running = await open();
      const load: HubLoad = {
        ...shape,
        wire,
        port: running.port,
        pids: running.pids,
        subscribers: 8,
        bytes: 128,
      };
      const measure = async (): Promise<Measured> => {
        const result = await loadHub(load);
        const { cpuSecondsPerMillion: cpu, perSecond: rate, generatorShare: generator } = result;
        return defined({ cpu, rate, generator, p50: result.p50Ms, p99: result.p99Ms });
      };
      return { measure, stop: running.stop };
    },
  };
}

export async function startNats(): Promise<Running & { readonly port: number }> {
  const port = await freePort();
  const running = await start('nats-server', ['-a', '127.0.0.1', '-p', String(port)], () => listens(port));
  return { port, ...running };
}

function defined(measured: Record<string, number | null | undefined>): Measured {
  return Object.fromEntries(
    Object.entries(measured).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  );
}
