import { createGateway } from '@groupcast/gateway';
import { createHub, MemoryEngine } from '@groupcast/hub';
import { HubClient } from '@groupcast/hub-client';
import { TestClient, until } from '@groupcast/testkit';

// A hub, a gateway and its clients in one process, which is run with --expose-gc: memory that
// belongs to what is live can be told from garbage only here. Prints one line of JSON for the test.

const ROUNDS = 20;
const CONNECTIONS = 50;
const JOINS = 100;
/** Groups that a connection leaves before it closes, which ends its other memberships. */
const LEAVES = 60;

// What is kept for those who are away for a moment is kept for a second only.
const hub = createHub({ port: 0, engine: new MemoryEngine({ ageMs: 1_000 }) });
const hubClient = new HubClient({ port: (await hub.listen()).port });
hubClient.connect();
const gateway = createGateway({ hub: hubClient, host: '127.0.0.1', port: 0 });
const url = `ws://127.0.0.1:${(await gateway.listen()).port}`;

/**
 * Every second group is a new one: anything that stays behind of a group adds up.
 */
function groupOf(round: number, connection: number, join: number): string {
  return join % 2 === 0 ? `shared ${join}` : `${round} ${connection} ${join}`;
}

async function live(round: number, connection: number): Promise<void> {
  const client = await TestClient.open(url, connection % 2 === 0 ? {} : { protocol: 'groupcast.v1' });
  const groups = Array.from({ length: JOINS }, (_, join) => groupOf(round, connection, join));
  for (const [join, group_id] of groups.entries()) {
    client.sendCommand({ cmd: 'add_group', group_id });
    if (join < LEAVES) client.sendCommand({ cmd: 'leave_group', group_id });
  }
  client.sendCommand({ cmd: 'send_to_group', group_id: groups.at(-1), message: 'hello', id: 'sent' });
  await client.reply('sent');
  if (connection % 5 === 0) client.terminate();
  else await client.close();
  await client.closed;
}

async function run(round: number): Promise<void> {
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, connection) => live(round, connection)));
}

function left(): Record<string, number> {
  // Positions are kept for a second, and thousands of them would count as growth.
  const { channels, subscriptions, engineChannels, history } = hub.stats();
  const { positions } = history;
  const { connections, groups } = gateway.stats();
  const { subjects, unanswered } = hubClient.stats();
  return { channels, subscriptions, engineChannels, positions, connections, groups, subjects, unanswered };
}

async function liveBytes(): Promise<number> {
  await until(left, 'nothing to be left', (counts) => Object.values(counts).every((count) => count === 0));
  // One collection lets finalizers run, which free more for the next.
  for (let count = 0; count < 4; count++) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

for (let round = 0; round < ROUNDS / 2; round++) await run(round);
const halfwayBytes = await liveBytes();
for (let round = ROUNDS / 2; round < ROUNDS; round++) await run(round);
const endBytes = await liveBytes();

const { joins, leaves, accepted } = gateway.stats();
process.stdout.write(
  `${JSON.stringify({ hasGc: globalThis.gc !== undefined, halfwayBytes, endBytes, joins, leaves, accepted, left: left() })}\n`,
);
await gateway.close();
hubClient.close();
await hub.close();
