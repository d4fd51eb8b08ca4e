import { announceStart, type StartProblem } from '@groupcast/service';
import { listenUrls, proxyUrls } from '../admin/stats.ts';
import type { Primary } from '../processes/primary.ts';

type StartOutput = Parameters<typeof announceStart>[1];

/** Longest wait for the first attempt of each worker to reach the hub, in milliseconds. */
const HUB_TRIED_MS = 5_000;

/**
 * Announces the start of a gateway whose workers listen. Without a hub it says so, and announces
 * the start again once all workers have reached the hub.
 */
export async function announceGateway(primary: Primary, output: StartOutput): Promise<void> {
  await primary.hubTried(HUB_TRIED_MS);
  if (primary.state !== 'up') return;
  const problem = hubProblemOf(primary);
  announce(primary, output, problem);
  if (problem === undefined) return;
  void primary.hubReached().then(() => {
    if (primary.state === 'up') announce(primary, output, undefined);
  });
}

function announce(primary: Primary, output: StartOutput, problem: StartProblem | undefined): void {
  const { workers: processes } = primary.settings;
  const addresses = [...listenUrls(primary), ...proxyUrls(primary).map((url) => `${url} (PROXY protocol)`)];
  const rows = addresses.map((listen) => ({ worker: 'WsGateway', listen, processes }));
  announceStart(problem === undefined ? rows : rows.map((row) => ({ ...row, problem })), output);
}

function hubProblemOf(primary: Primary): StartProblem | undefined {
  const { hubProblem, hasReachedHub } = primary;
  if (hubProblem === undefined && hasReachedHub) return undefined;
  const reason = hubProblem?.message ?? 'The hub has not answered yet.';
  return {
    status: 'NO HUB',
    sentence: `${reason} Clients can connect, but no message passes until the hub is reached (--hub). The workers retry.`,
  };
}
