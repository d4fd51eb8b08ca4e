import { atRate, type PrepareAttack } from './attack.ts';
import { HostileClient } from './client.ts';

const TEXT_BYTES = 60_000;
/** Above the rate of its connection; 70 of them fill the history of the tests. */
const MESSAGES_PER_SECOND = 100;
const ASKING = 8;
const NAMES_PER_SECOND = 8_000;

let names = 0;

/** Publishes long messages, each to a group without members. */
export const floodFreshGroups: PrepareAttack =
  ({ port }) =>
  async (did, over) => {
    const [client] = await HostileClient.open(1, port, did, over);
    const message = 'f'.repeat(TEXT_BYTES);
    return atRate(MESSAGES_PER_SECOND, over, () =>
      client?.send(JSON.stringify({ cmd: 'send_to_group', group_id: `fresh-${names++}`, message })),
    );
  };

/** Asks for the positions of unknown groups. */
export const askForFreshGroups: PrepareAttack =
  ({ port }) =>
  async (did, over) => {
    const clients = await HostileClient.open(ASKING, port, did, over);
    return atRate(NAMES_PER_SECOND, over, (turn) => {
      const command = { cmd: 'group_info', group_id: `unknown-${names++}`, id: 1 };
      clients[turn % ASKING]?.send(JSON.stringify(command));
    });
  };
