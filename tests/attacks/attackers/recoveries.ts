import { atRate, type PrepareAttack } from './attack.ts';
import { ask, HostileClient } from './client.ts';

const GROUPS = 50;
const JOINING = 60;
/** Rate at which all of them together join and leave all groups, per second. */
const TURNS_PER_SECOND = 40;
/** Messages in each of the groups: one page of history. */
const ONE_PAGE = 60;
const PAGE_TEXT_BYTES = 900;

/** Messages in the group of `recoverAgain`: the limit of a group's history. */
const MUCH = 160;
const TEXT_BYTES = 6_000;
/** The price of a recovery lets eight through per second; the others are delayed. */
const RECOVERIES_PER_SECOND = 100;

/** A group with history. */
interface Known {
  /** Returns a join that recovers all but the first `but` messages. */
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

/**
 * Many clients join many groups, each with a position, and leave before they receive the answer.
 */
export const joinAndLeave: PrepareAttack = async ({ port }) => {
  const known = await Promise.all(
    Array.from({ length: GROUPS }, (_, index) => publish(port, `known-${index}`, ONE_PAGE, PAGE_TEXT_BYTES)),
  );
  return async (did, over) => {
    const clients = await HostileClient.open(JOINING, port, did, over);
    return atRate(TURNS_PER_SECOND, over, (turn) => {
      const who = turn % JOINING;
      const client = clients[who];
      // Each has a position of its own: joins with the same position share an answer.
      for (const { join } of known) client?.send(join(who % ONE_PAGE));
      for (const { leave } of known) client?.send(leave);
    });
  };
};

/** One client recovers a long history, again and again. */
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
