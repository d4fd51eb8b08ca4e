import type { HistoryEvent } from './history-event.ts';
import { Memberships } from './memberships.ts';
import { PhpPeers } from './php-peers.ts';
import { Publications } from './publications.ts';
import { Readers } from './readers.ts';
import { type Counts, type Verdict, Violations } from './verdict.ts';

/**
 * Judges a whole run: `true` when it is valid and enough was seen, `false` when an invariant is
 * violated, `unknown` when the run proves too little: no acknowledgement, no receipt, a fault that
 * did not happen, a group without a last message, or a member that did not receive it. Takes linear
 * time. Events must be in order.
 */
export function checkHistory(events: readonly HistoryEvent[]): Verdict {
  const violations = new Violations();
  const publications = new Publications(violations);
  const memberships = new Memberships(publications, violations);
  const phpPeers = new PhpPeers(publications, violations);
  const readers = new Readers(publications, violations);
  const tally = new Tally();
  for (const event of events) {
    tally.count(event);
    feed(event, { publications, memberships, phpPeers, readers });
  }
  publications.check();
  memberships.check();
  const unknownWhy = [
    ...tally.missing(),
    ...unheardMarkers(tally.markers, memberships),
    ...unheardByPhp(tally.markers, phpPeers),
  ];
  const isClean = violations.byCode.size === 0;
  return {
    valid: isClean ? unknownWhy.length === 0 || 'unknown' : false,
    violations: violations.shown,
    violationsByCode: violations.byCode,
    unknownWhy,
    counts: tally.counts(publications, phpPeers),
  };
}

interface Judges {
  readonly publications: Publications;
  readonly memberships: Memberships;
  readonly phpPeers: PhpPeers;
  readonly readers: Readers;
}

function feed(event: HistoryEvent, { publications, memberships, phpPeers, readers }: Judges): void {
  switch (event.type) {
    case 'inv':
      publications.invoke(event);
      break;
    case 'ok':
      publications.acknowledge(event.id, event.position);
      break;
    case 'fail':
      publications.refuse(event.id);
      break;
    case 'info':
      publications.giveUp(event.id);
      break;
    case 'join':
      memberships.join(event);
      break;
    case 'recv':
      memberships.receive(event);
      break;
    case 'recv-ephemeral':
      memberships.receiveEphemeral(event);
      break;
    case 'ask':
      readers.ask(event.read, event.group);
      break;
    case 'read':
      readers.read(event);
      break;
    case 'gap':
      memberships.gap(event);
      break;
    case 'leave':
      memberships.leave(event.member, event.group);
      break;
    case 'php-connected':
      phpPeers.connect(event.peer);
      break;
    case 'php-lost':
      phpPeers.lose(event.peer);
      break;
    case 'php-heard':
      phpPeers.hear(event);
      break;
    case 'fault':
    case 'proof':
    case 'marker':
      break;
  }
}

function unheardMarkers(markers: ReadonlyMap<string, string>, memberships: Memberships): string[] {
  const why: string[] = [];
  for (const { member, group, lastId } of memberships.live()) {
    const marker = markers.get(group);
    if (marker === undefined) why.push(`the group ${group} of ${member} has no last message`);
    else if (lastId !== marker) why.push(`${member} has not heard the last message of ${group}`);
  }
  return why;
}

function unheardByPhp(markers: ReadonlyMap<string, string>, phpPeers: PhpPeers): string[] {
  const why: string[] = [];
  for (const { name, lastIds } of phpPeers.all) {
    for (const [group, marker] of markers) {
      if (lastIds.get(group) !== marker) why.push(`${name} has not heard the last message of ${group}`);
    }
  }
  return why;
}

/** Counts the events that are only counted. */
class Tally {
  readonly markers: Map<string, string> = new Map();
  readonly #byType: Map<HistoryEvent['type'], number> = new Map();
  readonly #notRecovered: Map<string, number> = new Map();
  readonly #faults: Map<number, string> = new Map();
  readonly #proven: Set<number> = new Set();
  #recovered = 0;
  #firstJoins = 0;
  #sentEphemeral = false;

  count(event: HistoryEvent): void {
    increase(this.#byType, event.type);
    if (event.type === 'marker') this.markers.set(event.group, event.id);
    else if (event.type === 'inv') this.#sentEphemeral ||= event.ephemeral === true;
    else if (event.type === 'fault') this.#faults.set(event.number, event.name);
    else if (event.type === 'proof') this.#proven.add(event.number);
    else if (event.type === 'gap') increase(this.#notRecovered, event.reason);
    else if (event.type !== 'join') return;
    else if (event.recovered === true) this.#recovered += 1;
    else if (event.reason !== undefined) increase(this.#notRecovered, event.reason);
    else this.#firstJoins += 1;
  }

  missing(): string[] {
    const why: string[] = [];
    if (!this.#byType.has('ok')) why.push('nothing was acknowledged');
    if (!this.#byType.has('recv')) why.push('nothing was received');
    if (this.#sentEphemeral && !this.#byType.has('recv-ephemeral'))
      why.push('no ephemeral message was received');
    if (this.#byType.has('ask') && !this.#byType.has('read')) why.push('no history was read');
    for (const [number, name] of this.#faults) {
      if (!this.#proven.has(number)) why.push(`the fault "${name}" did not happen`);
    }
    return why;
  }

  counts(publications: Publications, phpPeers: PhpPeers): Counts {
    const outcomes = new Map<string, number>();
    let inTwoEpochs = 0;
    for (const { outcome, seen, ephemeral } of publications.all) {
      // Their outcomes may be unknown: they are not repeated.
      if (ephemeral === true) continue;
      increase(outcomes, outcome);
      if (seen.size > 1) inTwoEpochs += 1;
    }
    const faults = new Map<string, number>();
    for (const [number, name] of this.#faults) if (this.#proven.has(number)) increase(faults, name);
    return {
      invoked: [...outcomes.values()].reduce((sum, count) => sum + count, 0),
      acknowledged: outcomes.get('ok') ?? 0,
      refused: outcomes.get('fail') ?? 0,
      unknown: outcomes.get('info') ?? 0,
      unanswered: outcomes.get('none') ?? 0,
      received: this.#byType.get('recv') ?? 0,
      firstJoins: this.#firstJoins,
      recovered: this.#recovered,
      notRecovered: this.#notRecovered,
      inTwoEpochs,
      ephemeral: this.#byType.get('recv-ephemeral') ?? 0,
      reads: this.#byType.get('read') ?? 0,
      heard: this.#byType.get('php-heard') ?? 0,
      losses: phpPeers.losses(),
      faults,
    };
  }
}

function increase<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
