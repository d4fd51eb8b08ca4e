import { type TestGateway, type TestHub, until } from '@groupcast/testkit';

/**
 * Flags of a hub that forgets soon: what is kept for those who are away for a moment is a trace,
 * too.
 */
export const BRIEF_HISTORY = { historySeconds: 1 };

/**
 * Resolves when all clients have left no trace, in the hub and in every worker of these gateways,
 * which must be all that the hub has. It needs a hub with `BRIEF_HISTORY`.
 */
export async function untilEmpty(hub: TestHub, ...gateways: readonly TestGateway[]): Promise<void> {
  await until(
    async () => {
      const { connectedPeers, channels, subscriptions, engineChannels, bufferedBytes } = await hub.stats();
      const stats = await Promise.all(gateways.map((gateway) => gateway.stats()));
      const workers = stats.flatMap((gateway) => gateway.workers);
      return {
        // A worker that was too busy to answer is not in the stats, though it has a session.
        silentWorkers: connectedPeers - workers.length,
        hub: [channels, subscriptions, engineChannels, bufferedBytes],
        totals: stats.flatMap(({ connections, groups }) => [connections, groups]),
        workers: workers.flatMap((worker) => [worker.connections, worker.groups, worker['bufferedBytes']]),
      };
    },
    'a hub and gateways without groups, channels and connections',
    ({ silentWorkers, hub: counts, totals, workers }) =>
      silentWorkers === 0 && [...counts, ...totals, ...workers].every((count) => count === 0),
  );
}
