import type { ProtocolName } from './protocols/protocols.ts';

export type Scenario = 'fanout' | 'groups' | 'latency' | 'idle' | 'storm';

/** What a run was told to do: the scenario's own numbers are filled in. */
export interface Settings {
  readonly scenario: Scenario;
  readonly protocol: ProtocolName;
  /** Members of all groups together. */
  readonly members: number;
  readonly groups: number;
  /** Bytes of a message's text. */
  readonly bytes: number;
  readonly window: number;
  /** Messages a second; used by `latency`. */
  readonly rate: number;
  readonly warmupSeconds: number;
  readonly seconds: number;
  /** Messages in all, instead of a time; 0: by time. */
  readonly messages: number;
  /** Generator processes that hold members. */
  readonly processes: number;
  readonly connectingMax: number;
  /** Connections begun in a second; 0: as fast as they come. */
  readonly handshakeRate: number;
}

/** What one generator process does. */
export interface ProcessPlan {
  readonly index: number;
  /** The group of each member that this process opens. */
  readonly memberGroups: readonly number[];
  /** Connections that only publish. */
  readonly publisherCount: number;
  /** The groups that this process publishes to. */
  readonly publishes: readonly number[];
  /** How many processes have members of the same group: each must say that a message is complete. */
  readonly parts: number;
  readonly connectingMax: number;
  readonly handshakeRate: number;
}

/** Publishers of the open loop share the rate, so that a server's usual limit of messages per connection is not in the way. */
const RATE_PER_PUBLISHER = 500;

/** Spreads a run over processes. With `latency` one more process does nothing but send, to be in time. */
export function planProcesses(settings: Settings): readonly ProcessPlan[] {
  const { scenario, members, groups, processes, rate, connectingMax, handshakeRate } = settings;
  const memberGroups = Array.from({ length: processes }, (): number[] => []);
  for (let member = 0; member < members; member++) {
    const group = member % groups;
    // A closed loop per group needs the group in one process; other groups are spread as evenly as it gets.
    const process = (scenario === 'groups' ? group : member) % processes;
    memberGroups[process]?.push(group);
  }
  const allGroups = Array.from({ length: groups }, (_, group) => group);
  const plans = memberGroups.map((own, index): ProcessPlan => {
    const publishesHere = (group: number): boolean => scenario === 'groups' && group % processes === index;
    const leads = scenario === 'fanout' && index === 0;
    return {
      index,
      memberGroups: own,
      publisherCount: leads ? 1 : 0,
      publishes: leads ? allGroups : allGroups.filter(publishesHere),
      parts: scenario === 'fanout' ? processes : 1,
      connectingMax: Math.max(1, Math.floor(connectingMax / processes)),
      handshakeRate: handshakeRate / processes,
    };
  });
  if (scenario !== 'latency') return plans;
  const publisherCount = Math.min(groups, Math.ceil(rate / RATE_PER_PUBLISHER));
  const pacer = {
    memberGroups: [],
    publisherCount,
    publishes: allGroups,
    parts: 1,
    connectingMax,
    handshakeRate,
  };
  return [...plans, { index: processes, ...pacer }];
}
