import type { PhpHeard } from './history-event.ts';
import type { Publication, Publications } from './publications.ts';
import type { LossCause, Violations } from './verdict.ts';

/** Messages that one PHP peer received on one connection. */
interface Life {
  readonly ids: Set<string>;
  /** Last message received, by publisher and group. */
  readonly last: Map<string, Publication>;
}

interface PhpPeer {
  readonly name: string;
  readonly lives: Life[];
  connected: boolean;
  /** Messages by group. */
  readonly lastIds: Map<string, string>;
}

/**
 * The PHP peers' side of a history. Their wire has no positions and promises less: at most once, in
 * the order of each publisher and group while a connection lasts, messages of groups only. Missed
 * messages are reported by cause.
 */
export class PhpPeers {
  readonly #publications: Publications;
  readonly #violations: Violations;
  readonly #peers: Map<string, PhpPeer> = new Map();

  constructor(publications: Publications, violations: Violations) {
    this.#publications = publications;
    this.#violations = violations;
  }

  get all(): Iterable<PhpPeer> {
    return this.#peers.values();
  }

  connect(name: string): void {
    let peer = this.#peers.get(name);
    if (peer === undefined) {
      peer = { name, lives: [], connected: true, lastIds: new Map() };
      this.#peers.set(name, peer);
    }
    peer.connected = true;
    peer.lives.push({ ids: new Set(), last: new Map() });
  }

  lose(name: string): void {
    const peer = this.#peers.get(name);
    if (peer !== undefined) peer.connected = false;
  }

  hear(event: PhpHeard): void {
    const { peer: name, group, id, intact } = event;
    const publication = this.#publications.get(id);
    if (!intact) this.#violations.add('C1', `${name} heard ${id}, which was changed on its way`);
    if (publication === undefined) {
      this.#violations.add('C1', `${name} heard ${id}, which was never sent`);
      return;
    }
    publication.heard = true;
    if (publication.group !== group)
      this.#violations.add('C12', `${name} heard ${id} in ${group}, and it was sent to ${publication.group}`);
    const peer = this.#peers.get(name);
    const life = peer?.lives.at(-1);
    if (peer?.connected !== true || life === undefined) {
      this.#violations.add('C12', `${name} heard ${id}, and was not connected`);
      return;
    }
    peer.lastIds.set(group, id);
    this.#hearInLife(peer, life, publication);
  }

  /**
   * Returns the number of missed messages by cause; one message counts for each peer. Call it after
   * all events.
   */
  losses(): Map<LossCause, number> {
    const losses = new Map<LossCause, number>();
    const add = (cause: LossCause): void => void losses.set(cause, (losses.get(cause) ?? 0) + 1);
    const peers = Array.from(this.#peers.values(), ({ lives }) => ({
      lives,
      spans: lives.map((life) => spansOf(life, this.#publications)),
    }));
    for (const publication of this.#publications.all) {
      const { outcome, seen, heard, once } = publication;
      const stands = seen.size > 0 || heard;
      // Other kinds were repeated until they were acknowledged, or count as unknown.
      if (!stands && once === true && outcome === 'info') add('never delivered');
      if (!stands) continue;
      for (const { lives, spans } of peers) {
        if (lives.some(({ ids }) => ids.has(publication.id))) continue;
        add(spans.some((each) => isWithin(each, publication)) ? 'while connected' : 'not connected');
      }
    }
    return losses;
  }

  #hearInLife({ name, lives }: PhpPeer, life: Life, publication: Publication): void {
    const { id, publisher, group, seq } = publication;
    const key = `${publisher} ${group}`;
    const before = life.last.get(key);
    // A repeated message can be in the history of two hubs; it cannot come twice from one.
    const isRepeated = publication.once === true && lives.some(({ ids }) => ids.has(id));
    if (life.ids.has(id) || isRepeated) this.#violations.add('C3', `${name} heard ${id} twice`);
    else if (before !== undefined && before.seq > seq)
      this.#violations.add('C5', `${name} heard ${id} behind ${before.id}`);
    life.ids.add(id);
    life.last.set(key, publication);
  }
}

/** The first and the last offset of one epoch of a group that were received in one life. */
interface Span {
  first: number;
  last: number;
}

/** Ranges by group and epoch. A message in two epochs does not show which of them was received. */
function spansOf({ ids }: Life, publications: Publications): Map<string, Span> {
  const spans = new Map<string, Span>();
  for (const id of ids) {
    const publication = publications.get(id);
    if (publication?.seen.size !== 1) continue;
    for (const [epoch, offset] of publication.seen) {
      const key = `${publication.group} ${epoch}`;
      const span = spans.get(key) ?? { first: offset, last: offset };
      spans.set(key, { first: Math.min(span.first, offset), last: Math.max(span.last, offset) });
    }
  }
  return spans;
}

/**
 * Whether received messages surround this one: then the peer was connected when it was delivered.
 */
function isWithin(spans: ReadonlyMap<string, Span>, { group, seen }: Publication): boolean {
  for (const [epoch, offset] of seen) {
    const span = spans.get(`${group} ${epoch}`);
    if (span !== undefined && span.first < offset && offset < span.last) return true;
  }
  return false;
}
