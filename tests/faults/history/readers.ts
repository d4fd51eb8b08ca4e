import type { Position, Read } from './history-event.ts';
import type { Publications } from './publications.ts';
import type { Violations } from './verdict.ts';

/** Judges the answers to `history` (C14). */
export class Readers {
  readonly #publications: Publications;
  readonly #violations: Violations;
  /** The last acknowledged position when each read was requested. */
  readonly #asked: Map<string, Position | undefined> = new Map();

  constructor(publications: Publications, violations: Violations) {
    this.#publications = publications;
    this.#violations = violations;
  }

  ask(read: string, group: string): void {
    this.#asked.set(read, this.#publications.lastAcknowledged(group));
  }

  read(event: Read): void {
    const { group, position, messages, since, verdict, more } = event;
    const behind = this.#asked.get(event.read);
    this.#asked.delete(event.read);
    if (!more && behind?.epoch === position.epoch && behind.offset > position.offset)
      this.#wrong(event, `is at ${position.offset}, and ${behind.offset} was acknowledged before`);
    if (behind !== undefined && this.#publications.isLaterEpoch(group, behind.epoch, position.epoch))
      this.#wrong(event, `is of epoch ${position.epoch}, which was over`);
    if (verdict !== 'recovered' && messages.length > 0) this.#wrong(event, `is ${verdict}, and has messages`);
    let last = since?.offset ?? (messages[0]?.offset ?? 1) - 1;
    for (const { id, offset, intact } of messages) {
      if (offset !== last + 1) this.#wrong(event, `has ${id} of ${offset} behind ${last}`);
      if (!intact) this.#violations.add('C1', `a reader got ${id}, which was changed on its way`);
      last = offset;
      this.#place(event, id, offset);
    }
    if (messages.length > 0 && last !== position.offset)
      this.#wrong(event, `is at ${position.offset}, and its last message at ${last}`);
  }

  #place({ group, position }: Read, id: string, offset: number): void {
    const publication = this.#publications.get(id);
    if (publication === undefined) {
      this.#violations.add('C1', `a reader got ${id}, which was never sent`);
    } else if (publication.group !== group) {
      this.#violations.add('C12', `a reader of ${group} got ${id}, which was sent to ${publication.group}`);
    } else {
      this.#publications.place(publication, { epoch: position.epoch, offset });
    }
  }

  #wrong({ read, group }: Read, what: string): void {
    this.#violations.add('C14', `the answer to ${read} about ${group} ${what}`);
  }
}
