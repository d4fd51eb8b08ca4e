import type { Random } from '../../random.ts';
import type { HistoryEvent, Received } from '../history-event.ts';
import type { InvariantCode } from '../verdict.ts';

type ReceivedEvent = HistoryEvent & Received;

/** One way in which a system could fail. */
export interface Mutation {
  readonly name: string;
  /** The code that must be among the violations. */
  readonly code: InvariantCode;
  /** Breaks a copy of a faultless history. */
  apply(events: HistoryEvent[], random: Random): void;
}

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'a message is dropped',
    code: 'C4',
    apply: (events, random) => void remove(events, pickInner(events, random)),
  },
  {
    name: 'an acknowledged message is dropped',
    code: 'C6',
    apply: (events, random) => {
      const acknowledged = new Set(events.flatMap((event) => (event.type === 'ok' ? [event.id] : [])));
      remove(
        events,
        pickInner(events, random, ({ id }) => acknowledged.has(id)),
      );
    },
  },
  {
    name: 'the last message is dropped',
    code: 'C6',
    apply: (events, random) => {
      const markers = receipts(events).filter(({ id }) => id.startsWith('marker'));
      remove(events, random.pick(markers));
    },
  },
  {
    name: 'a message is delivered twice',
    code: 'C3',
    apply: (events, random) => {
      const event = random.pick(receipts(events));
      events.splice(events.indexOf(event) + 1, 0, event);
    },
  },
  {
    name: 'a message is delivered again much later',
    code: 'C3',
    apply: (events, random) => {
      const event = pickInner(events, random);
      const later = receiptsLike(events, event).at(-1)!;
      events.splice(events.indexOf(later) + 1, 0, event);
    },
  },
  {
    name: 'two messages are swapped',
    code: 'C3',
    apply: (events, random) => {
      const first = pickInner(events, random);
      const next = followers(events, first)[0]!;
      const [at, other] = [events.indexOf(first), events.indexOf(next)];
      events[at] = next;
      events[other] = first;
    },
  },
  {
    name: 'an unknown message is delivered',
    code: 'C1',
    apply: (events, random) => {
      replace(events, random.pick(receipts(events)), { id: 'unknown:1' });
    },
  },
  {
    name: 'a message is changed in transit',
    code: 'C1',
    apply: (events, random) => {
      replace(events, random.pick(receipts(events)), { intact: false });
    },
  },
  {
    name: 'a message is received before it was sent',
    code: 'C1',
    apply: (events, random) => {
      const event = random.pick(receipts(events));
      const sent = events.findIndex(
        ({ type, ...rest }) => type === 'inv' && 'id' in rest && rest.id === event.id,
      );
      remove(events, event);
      events.splice(sent, 0, event);
    },
  },
  {
    name: 'a message is acknowledged that was never sent',
    code: 'C1',
    apply: (events) => {
      events.push({ at: Infinity, type: 'ok', id: 'unknown:1', position: { epoch: 'e2', offset: 1 } });
    },
  },
  {
    name: 'a message is delivered in the wrong group',
    code: 'C12',
    apply: (events, random) => {
      const event = random.pick(receipts(events));
      const foreign = receipts(events).find(({ group, at }) => group !== event.group && at < event.at)!;
      replace(events, event, { id: foreign.id });
    },
  },
  {
    name: 'a message is delivered to a non-member',
    code: 'C12',
    apply: (events, random) => {
      replace(events, random.pick(receipts(events)), { member: 'stranger' });
    },
  },
  {
    name: 'a message is delivered to a former member',
    code: 'C12',
    apply: (events, random) => {
      replace(events, random.pick(receipts(events)), { member: 'left', group: 'a' });
    },
  },
  {
    name: 'a message is delivered to the sender that excluded itself',
    code: 'C12',
    apply: (events, random) => {
      const event = random.pick(receipts(events));
      const sent = events.find((other) => other.type === 'inv' && other.id === event.id)!;
      events[events.indexOf(sent)] = { ...sent, excludes: event.member } as HistoryEvent;
    },
  },
  {
    name: 'two messages have one offset',
    code: 'C2',
    apply: (events, random) => {
      const event = pickInner(events, random);
      const other = followers(events, event)[0]!;
      replace(events, event, { position: other.position });
    },
  },
  {
    name: 'a rejected message is delivered',
    code: 'C1',
    apply: (events, random) => {
      const { id } = random.pick(receipts(events).filter((event) => !event.id.startsWith('marker')));
      const at = events.findIndex(
        (event) => (event.type === 'ok' || event.type === 'info') && event.id === id,
      );
      events[at] = { at: 0, type: 'fail', id, code: 'not_sent' };
    },
  },
  {
    name: 'a repeated message is stored twice',
    code: 'C8',
    apply: (events, random) => {
      const event = pickInner(events, random);
      replace(events, followers(events, event)[0]!, { id: event.id });
    },
  },
  {
    name: 'a message is acknowledged with another offset than it is delivered with',
    code: 'C8',
    apply: (events, random) => {
      const { id } = random.pick(receipts(events).filter((event) => !event.id.startsWith('marker')));
      const at = events.findIndex(
        (event) => (event.type === 'ok' || event.type === 'info') && event.id === id,
      );
      events[at] = { at: 0, type: 'ok', id, position: { epoch: 'e2', offset: 1e6 } };
      const where = receipts(events).find((event) => event.id === id)!.position;
      if (where.epoch === 'e1')
        events[at] = { at: 0, type: 'ok', id, position: { epoch: 'e1', offset: 1e6 } };
    },
  },
  {
    name: 'the epoch changes without an announcement',
    code: 'C7',
    apply: (events, random) => {
      const gaps = events.filter(
        (event, index) => event.type === 'gap' && receiptsAfter(events, index, event).length > 0,
      );
      remove(events, random.pick(gaps));
    },
  },
  {
    name: 'a member is told that it recovered, but a message is missing',
    code: 'C7',
    apply: (events) => {
      const promise = events.find((event, index) => {
        if (event.type !== 'join' || event.recovered !== true) return false;
        return receiptsAfter(events, index, event).length >= 2;
      });
      if (promise?.type !== 'join') throw new Error('No member recovered anything.');
      remove(events, receiptsAfter(events, events.indexOf(promise), promise)[0]!);
    },
  },
  {
    name: 'a member is told that it recovered, from another epoch',
    code: 'C7',
    apply: (events) => {
      const at = events.findIndex((event) => event.type === 'join' && event.reason === 'epoch_changed');
      const { reason: _, ...join } = events[at] as HistoryEvent & { type: 'join'; reason: string };
      events[at] = { ...join, recovered: true };
    },
  },
  {
    name: 'a member is not recovered, without a reason',
    code: 'C7',
    apply: (events) => {
      const at = events.findIndex((event) => event.type === 'join' && event.reason !== undefined);
      const { reason: _, ...join } = events[at] as HistoryEvent & { type: 'join'; reason: string };
      events[at] = join;
    },
  },
  {
    name: 'two messages of a publisher are in the wrong order',
    code: 'C5',
    apply: (events, random) => exchangeIds(events, random, (one, other) => isSamePublisher(one, other)),
  },
  {
    name: 'a message sent after an acknowledgement comes before it',
    code: 'C9',
    apply: (events, random) => exchangeIds(events, random, (one, other) => !isSamePublisher(one, other)),
  },
];

function receipts(events: readonly HistoryEvent[]): ReceivedEvent[] {
  return events.filter((event): event is ReceivedEvent => event.type === 'recv');
}

function receiptsLike(
  events: readonly HistoryEvent[],
  { member, group, position }: ReceivedEvent,
): ReceivedEvent[] {
  return receipts(events).filter(
    (event) => event.member === member && event.group === group && event.position.epoch === position.epoch,
  );
}

/** The member's next message, without an announcement in between: the offsets are contiguous. */
function followers(events: readonly HistoryEvent[], event: ReceivedEvent): ReceivedEvent[] {
  return receiptsLike(events, event).filter(({ position }) => position.offset === event.position.offset + 1);
}

function receiptsAfter(
  events: readonly HistoryEvent[],
  index: number,
  { member, group }: { readonly member: string; readonly group: string },
): ReceivedEvent[] {
  const after: ReceivedEvent[] = [];
  for (const event of events.slice(index + 1)) {
    if (!('member' in event) || event.member !== member || event.group !== group) continue;
    if (event.type !== 'recv') break;
    after.push(event);
  }
  return after;
}

/** Finds a receipt with its successor, neither the first after a promise nor a marker. */
function pickInner(
  events: readonly HistoryEvent[],
  random: Random,
  matches: (event: ReceivedEvent) => boolean = () => true,
): ReceivedEvent {
  const joinPositions = new Set(
    events.flatMap((event) =>
      event.type === 'join' && event.since !== undefined
        ? [`${event.member} ${event.group} ${event.since.epoch}/${event.since.offset + 1}`]
        : [],
    ),
  );
  const inner = receipts(events).filter((event) => {
    const { member, group, position, id } = event;
    if (joinPositions.has(`${member} ${group} ${position.epoch}/${position.offset}`)) return false;
    return !id.startsWith('marker') && followers(events, event).length > 0 && matches(event);
  });
  return random.pick(inner);
}

function isSamePublisher(one: string, other: string): boolean {
  return one.split(':')[0] === other.split(':')[0];
}

/** Swaps two acknowledged neighbours, for all members. */
function exchangeIds(
  events: HistoryEvent[],
  random: Random,
  fits: (one: string, other: string) => boolean,
): void {
  const acknowledged = new Map<string, string>();
  for (const event of events) {
    if (event.type !== 'ok' || event.position === undefined || event.id.startsWith('marker')) continue;
    const group = event.id.split(':')[1];
    acknowledged.set(`${group} ${event.position.epoch}/${event.position.offset}`, event.id);
  }
  const pairs = [...acknowledged].flatMap(([where, id]) => {
    const [place, offset] = where.split('/');
    const next = acknowledged.get(`${place}/${Number(offset) + 1}`);
    return next !== undefined && fits(id, next) ? [[id, next] as const] : [];
  });
  const [one, other] = random.pick(pairs);
  const exchanged = new Map([
    [one, other],
    [other, one],
  ]);
  for (const [index, event] of events.entries()) {
    if (event.type === 'recv') events[index] = { ...event, id: exchanged.get(event.id) ?? event.id };
  }
  exchangePositions(events, one, other);
}

function exchangePositions(events: HistoryEvent[], one: string, other: string): void {
  const at = events.findIndex((event) => event.type === 'ok' && event.id === one);
  const otherAt = events.findIndex((event) => event.type === 'ok' && event.id === other);
  const [first, second] = [events[at], events[otherAt]];
  if (first?.type !== 'ok' || second?.type !== 'ok' || !first.position || !second.position)
    throw new Error('Both must be acknowledged.');
  events[at] = { ...first, position: second.position };
  events[otherAt] = { ...second, position: first.position };
}

function remove(events: HistoryEvent[], event: HistoryEvent): void {
  events.splice(events.indexOf(event), 1);
}

function replace(events: HistoryEvent[], event: ReceivedEvent, change: Partial<ReceivedEvent>): void {
  events[events.indexOf(event)] = { ...event, ...change };
}
