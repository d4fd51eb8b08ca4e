import { TestClient, type TestGateway } from '@groupcast/testkit';
import { statsOfAll } from './stats-of-all.ts';

/**
 * Opens at least `count` clients, one after another, and more until each worker has some: workers
 * take turns, but not to the letter.
 */
export async function openOnAll(
  gateway: TestGateway,
  workers: number,
  count: number,
  open: () => Promise<TestClient> = () => TestClient.open(gateway.url),
): Promise<TestClient[]> {
  const clients: TestClient[] = [];
  for (;;) {
    while (clients.length < count) clients.push(await open());
    const stats = await statsOfAll(gateway, workers);
    if (stats.workers.every(({ connections }) => connections > 0)) return clients;
    clients.push(await open());
  }
}
