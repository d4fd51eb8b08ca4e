import { atRate, type PrepareAttack } from './attack.ts';
import { ask, HostileClient } from './client.ts';

const GROUPS = 50;
const JOINING = 60;
/** How often a second all of them together join and leave all groups. */
const TURNS_PER_SECOND = 40;
/** In each of the groups: as much as the hub gives in one answer. */
const ONE_PAGE = 60;
const PAGE_TEXT_BYTES = 900;

/** In the group of the one that asks again: as much as the hub keeps of a group. */
const MUCH = 160;
const TEXT_BYTES = 6_000;
/** Its price lets through eight: the others wait for their turn. */
const RECOVERIES_PER_SECOND = 100;

/** A group with history. */
interface Known {
  /** Asks for all of it but for so many messages. */
  join(but: number): string;
  readonly leave: string;
}

async function publish(port: number, group: string, messages: number, bytes: number): Promise<Known> {
  const message = 'h'.repeat(bytes);
  const [begin] = await ask(
    port,
    { cmd: 'group_info', group_id: group },
    ...Array.from({ length: messages }, () => ({ cmd: 'send_to_group', group_id: group, message })),
  );
  const since = (but: number): object => ({
    epoch: begin?.['epoch'],
    offset: Number(begin?.['offset']) + but,
  });
  return {
    join: (but) => JSON.stringify({ cmd: 'add_group', group_id: group, since: since(but) }),
    leave: JSON.stringify({ cmd: 'leave_group', group_id: group }),
  };
}

/** Many join many groups, each with a position, and leave before they are given anything. */
export const joinAndLeave: PrepareAttack = async ({ port }) => {
  const known = await Promise.all(
    Array.from({ length: GROUPS }, (_, index) => publish(port, `known-${index}`, ONE_PAGE, PAGE_TEXT_BYTES)),
  );
  return async (did, over) => {
    const clients = await HostileClient.open(JOINING, port, did, over);
    return atRate(TURNS_PER_SECOND, over, (turn) => {
      const who = turn % JOINING;
      const client = clients[who];
      // Each has a position of its own: who asks for the same is answered together.
      for (const { join } of known) client?.send(join(who % ONE_PAGE));
      for (const { leave } of known) client?.send(leave);
    });
  };
};

/** One asks for all that it missed, which is much, again and again. */
export const recoverAgain: PrepareAttack = async ({ port }) => {
  const { join, leave } = await publish(port, 'long-history', MUCH, TEXT_BYTES);
  return async (did, over) => {
    const [client] = await HostileClient.open(1, port, did, over);
    return atRate(RECOVERIES_PER_SECOND, over, () => {
      client?.send(leave);
      client?.send(join(0));
    });
  };
};
