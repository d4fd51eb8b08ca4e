import { native } from '@groupcast/protocol';
import { TEXT_FIELDS } from '@groupcast/testkit/in-process';
import { bench, describe } from 'vitest';
import { MemoryEngine } from '../engine/memory/memory-engine.ts';
import { Router } from './router.ts';
import type { Subscriber } from './subscriber.ts';

const SUBSCRIBERS = 8;

const SLOT = { publisher: 1, published: () => {}, publishRejected: () => {} };

/** A subscriber that records nothing. */
class SilentSubscriber implements Subscriber {
  readonly acceptsRuns = false;
  deliverEphemeral(): boolean {
    return true;
  }
  deliver(): void {}
  deliverRun(): void {}
  subscribed(): void {}
  subscribeRejected(): void {}
}

// One publication at a time, not in a run: with history, to eight subscribers.
describe.each([10, 1_000, 100_000])('with %i channels', (count) => {
  const engine = new MemoryEngine({ countMax: 100 });
  const router = new Router(engine);
  void engine.start(router);
  for (let index = 0; index < SUBSCRIBERS; index++) {
    const subscriber = new SilentSubscriber();
    for (let channel = 0; channel < count; channel++) {
      router.subscribe({ name: `ch-${channel}`, prefix: false }, subscriber, 1);
    }
  }
  const publication = {
    ...TEXT_FIELDS,
    payload: new Uint8Array(128),
    number: 0,
  } as const;
  let next = 0;

  bench('a publication', () => {
    next = (next + 7_919) % count;
    const channel = `ch-${next}`;
    const frame = native.encodePublish({ ...publication, channel });
    router.publish({ ...publication, channel }, frame, SLOT, 0);
  });
});
