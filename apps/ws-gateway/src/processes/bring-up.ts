import { type Log, listenErrorMessage } from '@groupcast/service';
import { formatHub } from '../config.ts';
import type { SharedPort } from './balance/shared-port.ts';
import { ListenError, ReloadError } from './errors.ts';
import type { Generation } from './generation.ts';

/** How long the steps of a start beside a running generation may take. */
export interface BringUpTimes {
  /** Until every worker has loaded the program, in milliseconds. */
  readonly loadMs: number;
  /** Between two looks whether every worker has reached the hub, in milliseconds. */
  readonly hubMs: number;
  /** So many looks; then a hub that others reach counts as not to be reached. */
  readonly hubLooks: number;
  /** Until every worker listens, in milliseconds. */
  readonly listenMs: number;
}

export const BRING_UP_TIMES: BringUpTimes = { loadMs: 60_000, hubMs: 5_000, hubLooks: 6, listenMs: 10_000 };

/**
 * Starts a generation beside one that serves: its workers take connections only when all of them
 * have reached the hub, so that no client meets one that cannot serve it. `hubIsThere` says whether
 * workers that serve have the hub: where they do not, nothing is to be waited for. Throws
 * ReloadError, and then the generation is to be ended.
 */
export async function bringUp(
  next: Generation,
  port: SharedPort,
  hubIsThere: () => Promise<boolean>,
  log: Log,
  times: BringUpTimes,
): Promise<void> {
  next.start(false, port);
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
    log.warn({ hub }, 'the hub is away; the new workers serve without having reached it');
    return;
  }
  const message =
    `The new workers did not all reach the hub at ${hub} within ${(hubMs * hubLooks) / 1_000} s, ` +
    'though there are workers that have it: check --hub, the secret and the TLS files.';
  throw new ReloadError('hub_unreachable', message);
}

function tooSlow(what: string, ms: number): ReloadError {
  const message = `The new workers had not all ${what} after ${ms / 1_000} s: is the machine overloaded? Reload again when it is not.`;
  return new ReloadError('too_slow', message);
}
