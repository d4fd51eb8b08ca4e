import type { Position, ReceivedEphemeral } from './history-event.ts';
import type { Membership } from './membership.ts';
import type { Publication, Publications } from './publications.ts';
import type { InvariantCode, Violations } from './verdict.ts';

/**
 * Offsets that a member should have had when it received an ephemeral message. The end of the run
 * shows whether their messages excluded it.
 */
interface Missing {
  readonly event: ReceivedEphemeral;
  readonly epoch: string;
  readonly from: number;
  readonly behind: Position;
}

/** Judges the ephemeral messages that members received (C13): without offsets, they may be lost. */
export class EphemeralMessages {
  readonly #publications: Publications;
  readonly #violations: Violations;
  /** Members and ids of the messages received. */
  readonly #received: Set<string> = new Set();
  readonly #missing: Missing[] = [];

  constructor(publications: Publications, violations: Violations) {
    this.#publications = publications;
    this.#violations = violations;
  }

  receive(event: ReceivedEphemeral, known: Membership): void {
    const { member, group, id, intact } = event;
    const publication = this.#publications.get(id);
    if (!intact) this.#wrong('C1', event, 'which was changed on its way');
    if (publication === undefined) {
      this.#wrong('C1', event, 'which was never sent');
      return;
    }
    publication.heard = true;
    if (publication.group !== group) this.#wrong('C12', event, `which was sent to ${publication.group}`);
    if (publication.excludes === member) this.#wrong('C12', event, 'of its own');
    if (publication.ephemeral !== true) this.#wrong('C13', event, 'without its offset');
    const key = `${member} ${id}`;
    if (this.#received.has(key)) this.#wrong('C13', event, 'twice');
    this.#received.add(key);
    this.#checkOrder(event, known, publication);
    known.latestSent = Math.max(known.latestSent, publication.sentAs);
  }

  /** Judges after all events. */
  check(): void {
    for (const { event, epoch, from, behind } of this.#missing) {
      for (let offset = from; offset <= behind.offset; offset++) {
        const missed = this.#publications.at(event.group, { epoch, offset });
        // Without a message there, no member was seen to get one: it may exclude this member.
        if (missed === undefined || missed.excludes === event.member) continue;
        this.#wrong('C13', event, `before ${missed.id}, which stands at ${epoch}/${offset} and precedes it`);
        break;
      }
    }
  }

  #checkOrder(event: ReceivedEphemeral, known: Membership, { behind, acknowledgedAs }: Publication): void {
    if (acknowledgedAs < known.latestSent)
      this.#wrong('C13', event, 'after a message that was sent after its acknowledgement');
    if (behind === undefined) return;
    if (behind.epoch === known.epoch && behind.offset > known.offset)
      this.#missing.push({ event, epoch: known.epoch, from: known.offset + 1, behind });
    else if (this.#publications.isLaterEpoch(event.group, behind.epoch, known.epoch))
      this.#wrong('C13', event, `of epoch ${behind.epoch}, and was in ${known.epoch}`);
  }

  #wrong(code: InvariantCode, { member, group, id }: ReceivedEphemeral, what: string): void {
    this.#violations.add(code, `${member} in ${group} got ${id}, ${what}`);
  }
}
