import { constants, setPriority } from 'node:os';
import { createInterface } from 'node:readline';
import type { Attack, Attacking, PrepareAttack } from './attack.ts';
import { flood } from './flood.ts';
import { askForFreshGroups, floodFreshGroups } from './fresh-groups.ts';
import { slowHandshakes } from './handshakes.ts';
import { nestedPings } from './nested-pings.ts';
import { joinAndLeave, recoverAgain } from './recoveries.ts';
import { silentSockets } from './silent-sockets.ts';

// A program: attacks a port on demand.
//
//     main.ts NAME PORT [MORE ...]
//
// Prints `ready`. The input `attack` starts it, and it prints `attacking` when it runs; `rest`
// stops it, and it prints `did` and its counts.

const ATTACKS: Readonly<Record<string, PrepareAttack>> = {
  slowHandshakes,
  flood,
  floodFreshGroups,
  askForFreshGroups,
  nestedPings,
  joinAndLeave,
  recoverAgain,
  silentSockets,
};

// Its own cost must not delay the bystanders.
setPriority(constants.priority.PRIORITY_LOW);

const [name = '', port = '', ...more] = process.argv.slice(2);
const attack = await ATTACKS[name]?.({ port: Number(port), more });
if (attack === undefined) throw new Error(`There is no attack "${name}".`);

interface Round {
  readonly counts: Record<string, number>;
  readonly over: AbortController;
  readonly attacking: Attacking;
}

async function begin(one: Attack): Promise<Round> {
  const counts: Record<string, number> = {};
  const over = new AbortController();
  const did = (what: string): void => {
    counts[what] = (counts[what] ?? 0) + 1;
  };
  return { counts, over, attacking: await one(did, over.signal) };
}

let round: Round | undefined;
for await (const line of attackOrRest()) {
  if (line === 'attack') {
    round = await begin(attack);
    process.stdout.write('attacking\n');
  }
  if (line === 'rest' && round !== undefined) {
    round.over.abort();
    await round.attacking.ended;
    process.stdout.write(`did ${JSON.stringify(round.counts)}\n`);
  }
}

function attackOrRest(): AsyncIterable<string> {
  const lines = createInterface({ input: process.stdin });
  process.stdout.write('ready\n');
  return lines;
}
