import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type TestGateway, until } from '@groupcast/testkit';
import type { Cluster, ClusterGateway } from '../cluster.ts';
import { anyGateway, type Fault } from './fault.ts';

/** `kill -9` of one worker of any gateway. Over when another one has replaced it. */
export function workerKill(): Fault {
  const name = 'worker killed';
  return {
    name,
    inject: async (context) => {
      const { gateway } = anyGateway(context);
      const { workers } = await gateway.stats();
      const { pid } = context.random.pick(workers);
      const prove = context.log.addFault(name);
      process.kill(pid, 'SIGKILL');
      await until(() => !isAlive(pid), `the end of worker ${pid}`);
      prove(`pid ${pid} is gone`);
      await untilServing(gateway, workers.length, [pid]);
    },
  };
}

/** `kill -9` of a gateway's primary, which is started again when its workers have ended. */
export function primaryKill(): Fault {
  const name = 'primary killed';
  return {
    name,
    inject: async (context) => {
      const host = anyGateway(context);
      const prove = context.log.addFault(name);
      await killPrimary(host);
      prove(`pid ${host.gateway.process.pid} is gone`);
      await host.restart();
    },
  };
}

/** Kills a gateway's primary, and resolves when its workers have ended too. */
async function killPrimary({ gateway }: ClusterGateway): Promise<void> {
  await gateway.kill();
  await until(
    () => gateway.process.descendants(),
    'the end of the orphaned workers',
    (left) => left.length === 0,
  );
}

/** `kill -9` of the hub, and a new one after `awayMs`. Over when all workers have a link to it. */
export function hubKill(awayMs = 1_000): Fault {
  const name = 'hub killed';
  return {
    name,
    inject: async ({ cluster, log }) => {
      const { pid } = cluster.hub.process;
      const prove = log.addFault(name);
      await cluster.hub.kill();
      prove(`pid ${pid} is gone`);
      await delay(awayMs);
      await restartHub(cluster);
    },
  };
}

/**
 * SIGTERM to the hub, and a new one at once, as in a deploy. Over when all workers have a link to
 * it.
 */
export function hubRestart(): Fault {
  const name = 'hub restarted';
  return {
    name,
    inject: async ({ cluster, log }) => {
      const prove = log.addFault(name);
      const { code, signal } = await cluster.hub.stop();
      if (code === 0) prove('exit 0');
      else throw new Error(`The hub ended with ${signal ?? code} at SIGTERM.`);
      await restartHub(cluster);
    },
  };
}

/**
 * Not over with the first worker: one that returns later gets a legitimate gap if the others
 * publish before into the new history.
 */
async function restartHub(cluster: Cluster): Promise<void> {
  await cluster.restartHub();
  await Promise.all(cluster.gateways.map(({ gateway }) => untilServing(gateway)));
}

/** SIGSTOP of the hub, and SIGCONT after `pauseMs`. */
export function hubPause(pauseMs: number): Fault {
  const name = `hub paused for ${pauseMs / 1_000} s`;
  return {
    name,
    inject: async ({ cluster, log }) => {
      const { pid } = cluster.hub.process;
      const prove = log.addFault(name);
      process.kill(pid, 'SIGSTOP');
      try {
        await until(() => stateOf(pid) === 'T', 'the hub to stand still');
        prove(`pid ${pid} is stopped`);
        await delay(pauseMs);
      } finally {
        process.kill(pid, 'SIGCONT');
      }
    },
  };
}

/** SIGHUP to any gateway. Over when all its old workers have ended. */
export function reload(): Fault {
  const name = 'gateway reloaded';
  return {
    name,
    inject: async (context) => {
      const prove = context.log.addFault(name);
      const { gateway } = anyGateway(context);
      prove(`generation ${await reloadGateway(gateway)}`);
    },
  };
}

/** Reloads a gateway, and resolves with its new generation when all its old workers have ended. */
async function reloadGateway(gateway: TestGateway): Promise<number> {
  const before = await gateway.stats();
  const { reload: after } = await gateway.reload();
  if (after.failed > before.reload.failed) throw new Error(`The reload failed: ${after.error}`);
  await until(() => !before.workers.some(({ pid }) => isAlive(pid)), 'the end of the old workers');
  return after.generation;
}

/**
 * Resolves when each worker of a gateway has a link to the hub, and there are `count` of them, none
 * of `gone`.
 */
async function untilServing(
  gateway: TestGateway,
  count?: number,
  gone: readonly number[] = [],
): Promise<void> {
  await until(
    async () => (await gateway.stats()).workers.map(({ pid, hub }) => ({ pid, hub: hub.state })),
    `${count ?? 'all'} workers that serve`,
    (workers) =>
      workers.length === (count ?? Math.max(1, workers.length)) &&
      workers.every(({ pid, hub }) => hub === 'open' && !gone.includes(pid)),
  );
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return stateOf(pid) !== 'Z';
  } catch {
    return false;
  }
}

/** Returns the state letter of /proc: T is stopped, Z a zombie. '' when the process has ended. */
function stateOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).charAt(0);
  } catch {
    return '';
  }
}
