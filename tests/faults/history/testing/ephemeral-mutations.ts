import type { Random } from '../../random.ts';
import type { HistoryEvent, Invoked, Joined, Read, Received, ReceivedEphemeral } from '../history-event.ts';
import type { Mutation } from './mutations.ts';

/** Ways in which ephemeral messages, `history` and joins with earlier messages could fail. */
export const EPHEMERAL_MUTATIONS: readonly Mutation[] = [
  {
    name: 'an ephemeral message is delivered twice',
    code: 'C13',
    apply: (events, random) => {
      const event = random.pick(of<ReceivedEphemeral>(events, 'recv-ephemeral'));
      events.splice(events.indexOf(event) + 1, 0, event);
    },
  },
  {
    name: 'an ephemeral message is delivered before what precedes it',
    code: 'C13',
    apply: (events, random) => {
      const stray = random.pick(strays(events, ({ sent }, other) => other.answered < sent));
      events.splice(events.indexOf(stray.receipt), 0, stray.ephemeral);
    },
  },
  {
    name: 'an ephemeral message is delivered after what follows it',
    code: 'C13',
    apply: (events, random) => {
      const stray = random.pick(strays(events, ({ answered }, other) => answered < other.sent));
      events.splice(events.indexOf(stray.receipt) + 1, 0, stray.ephemeral);
    },
  },
  {
    name: 'an ephemeral message is acknowledged with a position',
    code: 'C13',
    apply: (events, random) => {
      const { id } = random.pick(ephemeralSends(events));
      const answer = events.findIndex(
        (event) => (event.type === 'ok' || event.type === 'info') && event.id === id,
      );
      events[answer] = { at: 0, type: 'ok', id, position: { epoch: 'e2', offset: 1e6 } };
    },
  },
  {
    name: 'an ephemeral message is delivered with an offset',
    code: 'C13',
    apply: (events, random) => {
      const receipt = random.pick(of<ReceivedEphemeral>(events, 'recv-ephemeral'));
      const last = of<Received>(events, 'recv').findLast(
        ({ member, group, at }) => member === receipt.member && group === receipt.group && at < receipt.at,
      );
      const position = { epoch: last?.position.epoch ?? 'e1', offset: (last?.position.offset ?? 0) + 1 };
      events[events.indexOf(receipt)] = { ...receipt, type: 'recv', position };
    },
  },
  {
    name: 'an ephemeral message reaches the sender that excluded itself',
    code: 'C12',
    apply: (events, random) => {
      const { id, member } = random.pick(of<ReceivedEphemeral>(events, 'recv-ephemeral'));
      const sent = ephemeralSends(events).find((event) => event.id === id)!;
      events[events.indexOf(sent)] = { ...sent, excludes: member };
    },
  },
  {
    name: 'an ephemeral message is changed in transit',
    code: 'C1',
    apply: (events, random) => {
      const event = random.pick(of<ReceivedEphemeral>(events, 'recv-ephemeral'));
      events[events.indexOf(event)] = { ...event, intact: false };
    },
  },
  {
    name: 'an answer to history has a hole',
    code: 'C14',
    apply: (events, random) => {
      changeRead(events, random, ({ messages }) => ({
        messages: messages.filter((_, index) => index !== 1),
      }));
    },
  },
  {
    name: 'an answer to history lacks the first message after the position',
    code: 'C14',
    apply: (events, random) => {
      const from = (read: Read): boolean => read.since !== undefined;
      changeRead(events, random, ({ messages }) => ({ messages: messages.slice(1) }), from);
    },
  },
  {
    name: 'an answer to history is older than an acknowledgement before it',
    code: 'C14',
    apply: (events, random) => {
      const isFresh = ({ group, position, more }: Read): boolean =>
        !more &&
        events.some((event) => {
          if (event.type !== 'ok' || event.position?.epoch !== position.epoch) return false;
          return event.id.split(':')[1] === group && event.position.offset === position.offset;
        });
      const older = ({ position, messages }: Read): Partial<Read> => {
        const before = { ...position, offset: position.offset - 1 };
        return { position: before, messages: messages.slice(0, -1), more: false };
      };
      changeRead(events, random, older, isFresh);
    },
  },
  {
    name: 'an answer to history has another message at an offset',
    code: 'C2',
    apply: (events, random) => {
      const renamed = ({ messages }: Read): Partial<Read> => {
        const [one, two, ...rest] = messages;
        return { messages: [{ ...one!, id: two!.id }, { ...two!, id: one!.id }, ...rest] };
      };
      changeRead(events, random, renamed);
    },
  },
  {
    name: 'a member that asked for earlier messages misses the first one',
    code: 'C7',
    apply: (events) => {
      const join = of<Joined>(events, 'join').find(({ count = 0 }) => count > 1)!;
      const first = of<Received>(events, 'recv').find(
        ({ member, group }) => member === join.member && group === join.group,
      )!;
      events.splice(events.indexOf(first), 1);
    },
  },
];

type Of<Event> = HistoryEvent & Event;

function of<Event extends { readonly type: string }>(
  events: readonly HistoryEvent[],
  type: Event['type'],
): Of<Event>[] {
  return events.filter((event): event is Of<Event> => event.type === type);
}

function ephemeralSends(events: readonly HistoryEvent[]): Of<Invoked>[] {
  return of<Invoked>(events, 'inv').filter(({ ephemeral }) => ephemeral === true);
}

/** Indexes of the send and of the acknowledgement of a message. */
interface Life {
  readonly group: string;
  readonly excludes: string | undefined;
  readonly sent: number;
  answered: number;
}

/** A receipt, and an ephemeral message that its member did not receive. */
interface Stray {
  readonly receipt: Of<Received>;
  readonly ephemeral: Of<ReceivedEphemeral>;
}

/** Returns strays whose ephemeral message was sent before the receipt, and fits its message. */
function strays(events: readonly HistoryEvent[], fits: (ephemeral: Life, other: Life) => boolean): Stray[] {
  const lives = livesOf(events);
  const had = new Set(
    of<ReceivedEphemeral>(events, 'recv-ephemeral').map(({ member, id }) => `${member} ${id}`),
  );
  const found: Stray[] = [];
  for (const { id } of ephemeralSends(events)) {
    const life = lives.get(id)!;
    for (const [index, receipt] of events.entries()) {
      if (receipt.type !== 'recv' || receipt.group !== life.group || index < life.sent) continue;
      const { at, member, group } = receipt;
      const other = lives.get(receipt.id);
      if (other === undefined || life.excludes === member || had.has(`${member} ${id}`)) continue;
      if (!fits(life, other)) continue;
      found.push({ receipt, ephemeral: { at, type: 'recv-ephemeral', member, group, id, intact: true } });
    }
  }
  return found;
}

function livesOf(events: readonly HistoryEvent[]): Map<string, Life> {
  const lives = new Map<string, Life>();
  for (const [index, event] of events.entries()) {
    if (event.type === 'inv') {
      const { id, group, excludes } = event;
      lives.set(id, { group, excludes, sent: index, answered: Number.POSITIVE_INFINITY });
    }
    const life = event.type === 'ok' ? lives.get(event.id) : undefined;
    if (life !== undefined) life.answered = index;
  }
  return lives;
}

function changeRead(
  events: HistoryEvent[],
  random: Random,
  change: (read: Read) => Partial<Read>,
  fits: (read: Read) => boolean = () => true,
): void {
  const read = random.pick(of<Read>(events, 'read').filter((one) => one.messages.length > 2 && fits(one)));
  events[events.indexOf(read)] = { ...read, ...change(read) };
}
