import type { HistoryEvent, Invoked, PhpHeard } from '../history-event.ts';
import type { Mutation } from './mutations.ts';

type HeardEvent = HistoryEvent & PhpHeard;

/** Ways in which a system could fail PHP workers. */
export const PHP_MUTATIONS: readonly Mutation[] = [
  {
    name: 'a PHP worker hears a message twice',
    code: 'C3',
    apply: (events, random) => {
      const event = random.pick(heard(events));
      events.splice(events.indexOf(event) + 1, 0, event);
    },
  },
  {
    name: "a PHP worker hears a PHP worker's message again with its next connection",
    code: 'C3',
    apply: (events, random) => {
      const inv = invoked(events);
      const again = events.findLastIndex(({ type }) => type === 'php-connected');
      const { peer } = events[again] as HistoryEvent & { readonly peer: string };
      const before = heard(events.slice(0, again)).filter(
        (event) => event.peer === peer && inv.get(event.id)?.once === true,
      );
      events.splice(again + 1, 0, random.pick(before));
    },
  },
  {
    name: 'a PHP worker hears two messages of a publisher in the wrong order',
    code: 'C5',
    apply: (events, random) => {
      const inv = invoked(events);
      const source = ({ peer, group, id }: HeardEvent): string =>
        `${peer} ${group} ${inv.get(id)?.publisher}`;
      const pairs = heard(events).flatMap((one) => {
        const other = nextOf(events, one, (event) => source(event) === source(one));
        return other === undefined ? [] : [[one, other] as const];
      });
      const [one, other] = random.pick(pairs);
      const [at, otherAt] = [events.indexOf(one), events.indexOf(other)];
      // Both have been sent before the position of the second.
      events.splice(otherAt + 1, 0, one);
      events.splice(at, 1);
    },
  },
  {
    name: 'a PHP worker hears a message that was never sent',
    code: 'C1',
    apply: (events, random) => replace(events, random.pick(heard(events)), { id: 'unknown:1' }),
  },
  {
    name: 'a PHP worker hears a message before it was sent',
    code: 'C1',
    apply: (events, random) => {
      const event = random.pick(heard(events));
      events.splice(events.indexOf(event), 1);
      events.splice(
        events.findIndex((other) => other.type === 'inv' && other.id === event.id),
        0,
        event,
      );
    },
  },
  {
    name: 'a PHP worker hears a message that was changed in transit',
    code: 'C1',
    apply: (events, random) => replace(events, random.pick(heard(events)), { intact: false }),
  },
  {
    name: 'a PHP worker hears a message that was rejected',
    code: 'C1',
    apply: (events) => {
      const at = events.findIndex(({ type }) => type === 'fail');
      const { id } = events[at] as HistoryEvent & { readonly id: string };
      const { group } = invoked(events).get(id) as Invoked;
      const { peer } = heard(events.slice(at))[0] as HeardEvent;
      events.splice(at + 1, 0, { at: 0, type: 'php-heard', peer, group, id, intact: true });
    },
  },
  {
    name: 'a PHP worker hears a message in the wrong group',
    code: 'C12',
    apply: (events, random) => {
      const event = random.pick(heard(events));
      replace(events, event, { group: event.group === 'a' ? 'b' : 'a' });
    },
  },
  {
    name: 'a PHP worker hears a message without a connection',
    code: 'C12',
    apply: (events, random) => {
      const { peer, at } = random.pick(heard(events));
      events.splice(
        events.findIndex((event) => event.at === at),
        0,
        { at, type: 'php-lost', peer },
      );
    },
  },
];

export function heard(events: readonly HistoryEvent[]): HeardEvent[] {
  return events.filter((event): event is HeardEvent => event.type === 'php-heard');
}

function invoked(events: readonly HistoryEvent[]): Map<string, Invoked> {
  return new Map(events.flatMap((event) => (event.type === 'inv' ? [[event.id, event]] : [])));
}

/** The next one that matches, before the connection is lost. */
function nextOf(
  events: readonly HistoryEvent[],
  { peer, at }: HeardEvent,
  matches: (event: HeardEvent) => boolean,
): HeardEvent | undefined {
  for (const event of events) {
    if (event.at <= at || !('peer' in event) || event.peer !== peer) continue;
    if (event.type !== 'php-heard') return undefined;
    if (matches(event)) return event;
  }
  return undefined;
}

function replace(events: HistoryEvent[], event: HeardEvent, by: Partial<PhpHeard>): void {
  events[events.indexOf(event)] = { ...event, ...by };
}
