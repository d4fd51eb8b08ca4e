import { type Log, listenErrorMessage } from '@groupcast/service';
import { formatHub } from '../config.ts';
import type { SharedPort } from './balance/shared-port.ts';
import { ListenError, ReloadError } from './errors.ts';
import type { Generation } from './generation.ts';

/** Time limits for the steps of a start beside a running generation. */
export interface BringUpTimes {
  /** For all workers to load the program, in milliseconds. */
  readonly loadMs: number;
  /** Between two checks whether all workers have reached the hub, in milliseconds. */
  readonly hubMs: number;
  /**
   * Number of these checks. After the last one, a hub that other workers reach counts as
   * unreachable.
   */
  readonly hubLooks: number;
  /** For all workers to listen, in milliseconds. */
  readonly listenMs: number;
}

export const BRING_UP_TIMES: BringUpTimes = { loadMs: 60_000, hubMs: 5_000, hubLooks: 6, listenMs: 10_000 };

/**
 * Starts a generation beside one that serves. Its workers accept connections only when all of them
 * have reached the hub, so no client meets one that cannot serve it. `hubIsThere` returns whether
 * serving workers are connected to the hub: otherwise there is nothing to wait for. Throws
 * ReloadError; then the caller must end the generation.
 */
export async function bringUp(
  next: Generation,
  ports: readonly SharedPort[],
  hubIsThere: () => Promise<boolean>,
  log: Log,
  times: BringUpTimes,
): Promise<void> {
  next.start(false, ports);
  try {
    if (!(await next.allLoaded(times.loadMs))) throw tooSlow('loaded the program', times.loadMs);
    await reachHub(next, hubIsThere, log, times);
    if (!(await next.allListening(times.listenMs))) throw tooSlow('listened', times.listenMs);
  } catch (cause) {
    if (!(cause instanceof ListenError)) throw cause;
    const { host, port } = next.settings.worker.gateway;
    throw new ReloadError('listen_failed', listenErrorMessage(cause, host, port, '--port'), { cause });
  }
}

async function reachHub(
  next: Generation,
  hubIsThere: () => Promise<boolean>,
  log: Log,
  { hubMs, hubLooks }: BringUpTimes,
): Promise<void> {
  const hub = formatHub(next.settings.worker.hub);
  for (let look = 0; look < hubLooks; look++) {
    if (await next.allLinked(hubMs)) return;
    if (await hubIsThere()) continue;
    next.excuseHub();
    log.warn({ hub }, 'hub unreachable; the new workers serve without it');
    return;
  }
  const message =
    `Not all new workers reached the hub at ${hub} within ${(hubMs * hubLooks) / 1_000} s, ` +
    'but other workers are connected to it: check --hub, the secret and the TLS files.';
  throw new ReloadError('hub_unreachable', message);
}

function tooSlow(what: string, ms: number): ReloadError {
  const message = `Not all new workers ${what} within ${ms / 1_000} s: the machine may be overloaded. Retry the reload later.`;
  return new ReloadError('too_slow', message);
}
