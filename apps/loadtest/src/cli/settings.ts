import type { Scenario, Settings } from '../plan.ts';
import type { LoadtestConfig } from './options.ts';

/**
 * Connections of one process. Many systems limit a process to 20,000 open files, some of them its
 * own.
 */
const MEMBERS_PER_PROCESS = 15_000;

const MEMBERS: Readonly<Record<Scenario, number>> = {
  fanout: 1_000,
  groups: 2_000,
  latency: 1_000,
  idle: 10_000,
  storm: 10_000,
};

const GROUPS: Readonly<Record<Scenario, number>> = {
  fanout: 1,
  groups: 200,
  latency: 100,
  idle: 1_000,
  storm: 1_000,
};

/** Fills in the defaults of the scenario. */
export function settingsOf(config: LoadtestConfig): Settings {
  const { scenario } = config;
  const members = config.members === 0 ? MEMBERS[scenario] : config.members;
  // With more groups than members, some groups would be empty.
  const groups =
    scenario === 'fanout' ? 1 : Math.min(config.groups === 0 ? GROUPS[scenario] : config.groups, members);
  const fewest = scenario === 'idle' || scenario === 'storm' ? 2 : 1;
  const processes =
    config.processes === 0 ? Math.max(fewest, Math.ceil(members / MEMBERS_PER_PROCESS)) : config.processes;
  return {
    scenario,
    protocol: config.protocol,
    members,
    groups,
    bytes: config.bytes,
    window: config.window,
    rate: config.rate,
    warmupSeconds: config.warmupSeconds,
    seconds: config.seconds,
    messages: config.messages,
    processes: Math.min(processes, scenario === 'groups' ? groups : members),
    connectingMax: config.connectingMax,
    handshakeRate: config.handshakeRate,
    tokensFile: config.tokensFile,
  };
}
