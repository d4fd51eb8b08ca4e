import type { ProtocolName } from './protocols/protocols.ts';

export type Scenario = 'fanout' | 'groups' | 'latency' | 'idle' | 'storm';

/** Settings of a run, with the defaults of the scenario filled in. */
export interface Settings {
  readonly scenario: Scenario;
  readonly protocol: ProtocolName;
  /** Members of all groups together. */
  readonly members: number;
  readonly groups: number;
  /** Bytes of a message's text. */
  readonly bytes: number;
  readonly window: number;
  /** Messages per second; used by `latency`. */
  readonly rate: number;
  readonly warmupSeconds: number;
  readonly seconds: number;
  /** Messages in total, instead of a time; 0: by time. */
  readonly messages: number;
  /** Generator processes that hold members. */
  readonly processes: number;
  readonly connectingMax: number;
  /** Connections opened per second; 0: no limit. */
  readonly handshakeRate: number;
  /** File with one token per line; '' for none. */
  readonly tokensFile: string;
}

/** Work of one generator process. */
export interface ProcessPlan {
  readonly index: number;
  /** The group of each member that this process opens. */
  readonly memberGroups: readonly number[];
  /** Connections that only publish. */
  readonly publisherCount: number;
  /** The groups that this process publishes to. */
  readonly publishes: readonly number[];
  /** Number of processes with members of the same group: each must report a message as complete. */
  readonly parts: number;
  readonly connectingMax: number;
  readonly handshakeRate: number;
  readonly tokensFile: string;
}

/**
 * Publishers of the open loop share the rate, so that a server's usual limit of messages per
 * connection is not reached.
 */
const RATE_PER_PUBLISHER = 500;

/** Distributes a run over processes. With `latency` one more process only sends, to be on time. */
export function planProcesses(settings: Settings): readonly ProcessPlan[] {
  const { scenario, members, groups, processes, rate, connectingMax, handshakeRate, tokensFile } = settings;
  const memberGroups = Array.from({ length: processes }, (): number[] => []);
  for (let member = 0; member < members; member++) {
    const group = member % groups;
    // A closed loop needs all of a group in one process; other groups are distributed evenly.
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
      tokensFile,
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
    tokensFile,
  };
  return [...plans, { index: processes, ...pacer }];
}
