import { type GatewayStats, type TestGateway, until } from '@groupcast/testkit';

/**
 * Resolves with a gateway's stats once all its workers are in them and have reached the hub: those
 * too busy to answer are left out.
 */
export function statsOfAll(gateway: TestGateway, workers: number): Promise<GatewayStats> {
  return until(
    () => gateway.stats(),
    `the stats of ${workers} workers that have reached the hub`,
    (stats) =>
      stats.workers.length === workers && stats.workers.every((worker) => worker.hub.state === 'open'),
  );
}
