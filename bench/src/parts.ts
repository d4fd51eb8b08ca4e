import { fileURLToPath } from 'node:url';
import { freePort } from '@groupcast/testkit';
import { NATIVE } from './load/hub-wire.ts';
import { HUB_SECONDS_MAX, type Scenario, type Setting } from './scenario.ts';
import { candidate, coldCandidate, type HubShape, hubCandidate } from './systems/candidates.ts';
import { GROUPCAST, groupcastWithout, startHub } from './systems/groupcast.ts';
import { listens, type Running, start } from './systems/processes.ts';

/** A hub or a gateway without the handles below Node's streams. */
const NO_DIRECT_SOCKETS = { '--no-direct-sockets': true } as const;
const STREAMS = 'without direct sockets';
const NO_WARM_UP = { '--warm-up-ms': 0 } as const;
const COLD = 'without warm-up';

const HUB_PROGRAM = new URL('./systems/embedded-hub.ts', import.meta.url);
const MEMORY = 'memory engine';
const RING = 'with a plain ring as history';

/** Loads with and without one part of this project: what does not pay at least 10 % has to go. */
export function parts(setting: Setting): readonly Scenario[] {
  const { root, seconds } = setting;
  const time = ['--seconds', String(seconds)];
  const hubShape = { publishers: 1, channels: 1, window: 256, seconds: Math.min(seconds, HUB_SECONDS_MAX) };
  return [
    withoutDirectSockets(root, 'fanout-w1', ['--scenario', 'fanout', ...time]),
    withoutDirectSockets(root, 'fanout-w8', ['--scenario', 'fanout', '--window', '8', ...time]),
    withoutDirectSockets(root, 'groups-w1', ['--scenario', 'groups', ...time]),
    hubWithoutDirectSockets(root, 'hub-1to8', hubShape),
    hubWithoutDirectSockets(root, 'hub-8to8', { ...hubShape, publishers: 8, channels: 1_000 }),
    plainRing('hub-1to8', hubShape),
    plainRing('hub-8to8', { ...hubShape, publishers: 8, channels: 1_000 }),
    {
      name: 'parts-warm-up',
      title: 'Light load in the first ten seconds after the start, with and without the warm-up',
      metric: 'coldP99',
      checks: [],
      fresh: true,
      baseline: GROUPCAST,
      candidates: [
        coldCandidate(groupcastWithout(root, GROUPCAST, {})),
        coldCandidate(groupcastWithout(root, COLD, NO_WARM_UP)),
      ],
    },
  ];
}

function withoutDirectSockets(root: string, load: string, args: readonly string[]): Scenario {
  return {
    name: `parts-${load}`,
    title: `${load} with and without the handles below Node's streams`,
    metric: 'cpu',
    checks: [],
    fresh: false,
    baseline: GROUPCAST,
    candidates: [
      candidate(groupcastWithout(root, GROUPCAST, {}), args, false),
      candidate(groupcastWithout(root, STREAMS, NO_DIRECT_SOCKETS), args, false),
    ],
  };
}

/** One process of a hub can be twice as fast as the next one, so each round has new ones. */
function hubWithoutDirectSockets(root: string, load: string, shape: HubShape): Scenario {
  const hub = hubCandidate(NATIVE, 'history and offsets on', () => startHub(root), shape);
  const open = () => startHub(root, NO_DIRECT_SOCKETS);
  return {
    name: `parts-${load}`,
    title: `${load} with and without the handles below Node's streams in the hub`,
    metric: 'cpu',
    checks: [],
    fresh: true,
    baseline: NATIVE.name,
    candidates: [hub, { ...hubCandidate(NATIVE, 'history and offsets on', open, shape), name: STREAMS }],
  };
}

/** Compares the history of the memory engine with a plain ring of frames per channel. */
function plainRing(load: string, shape: HubShape): Scenario {
  const open = (engine: string) => (): Promise<Running & { readonly port: number }> =>
    startEmbeddedHub(engine);
  return {
    name: `parts-ring-${load}`,
    title: `${load} with the memory engine's history and with a plain ring as history`,
    metric: 'cpu',
    checks: [],
    fresh: true,
    baseline: MEMORY,
    candidates: [
      { ...hubCandidate(NATIVE, 'history and offsets on', open('memory'), shape), name: MEMORY },
      { ...hubCandidate(NATIVE, 'no limits but a count', open('ring'), shape), name: RING },
    ],
  };
}

async function startEmbeddedHub(engine: string): Promise<Running & { readonly port: number }> {
  const port = await freePort();
  const args = ['--import', 'tsx', fileURLToPath(HUB_PROGRAM), String(port), engine];
  return { port, ...(await start(process.execPath, args, () => listens(port))) };
}
