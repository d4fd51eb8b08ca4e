import { atRate, type PrepareAttack } from './attack.ts';
import { HostileClient } from './client.ts';

const PER_SECOND = 300;
/** Close to the limit of a client's message, without its command. */
const TEXT_BYTES = 65_000;

/** `GROUP COUNT`: COUNT clients send the longest messages to one group, in turn. */
export const flood: PrepareAttack =
  ({ port, more: [group, count] }) =>
  async (did, over) => {
    const clients = await HostileClient.open(Number(count), port, did, over);
    const text = JSON.stringify({ cmd: 'send_to_group', group_id: group, message: 'f'.repeat(TEXT_BYTES) });
    return atRate(PER_SECOND, over, (turn) => clients[turn % clients.length]?.send(text));
  };
