import { encodeText, HEARTBEAT_FRAME, limits, native } from '@groupcast/protocol';
import type { Random } from '../faults/random.ts';
import { channelName, queueName, several, watchedName } from './names.ts';

const NUMBERS = [0, 1, 2, 5, 255, 2 ** 32, Number.MAX_SAFE_INTEGER] as const;

/** The first frame of a native peer. */
export const HELLO: Uint8Array = native.encodeHello({
  version: native.NATIVE_VERSION,
  nonce: new Uint8Array(limits.NONCE_BYTES),
  name: 'fuzz',
});

/** Makes a message of a native peer; `epoch` is that of the hub. */
export function nativeFrame(random: Random, epoch: string): Uint8Array {
  switch (random.between(0, 12)) {
    case 0:
    case 1:
      return native.encodeSubscribe({ request: random.between(1, 9), subjects: subjects(random) });
    case 2:
      return native.encodeUnsubscribe(subjects(random));
    case 3: {
      const since = { epoch: random.pick([epoch, epoch, 'other', '']), offset: random.pick(NUMBERS) };
      return native.encodeHistory({ request: random.between(1, 9), channel: channelName(random), since });
    }
    case 4:
      return HEARTBEAT_FRAME;
    case 5:
    case 6:
      return queueFrame(random);
    case 7:
      return native.encodeWatch({
        request: random.between(1, 9),
        queue: watchedName(random),
        concurrency: random.pick([1, 2, limits.CONCURRENCY_MAX]),
      });
    default:
      return publish(random);
  }
}

function queueFrame(random: Random): Uint8Array {
  const attempt = { queue: watchedName(random), item: random.between(1, 40), attempt: random.between(1, 3) };
  switch (random.between(0, 4)) {
    case 0:
      return native.encodeUnwatch(watchedName(random));
    case 1:
      return native.encodeItemResult({ type: 'done', ...attempt });
    case 2:
      return native.encodeItemResult({ type: 'failed', ...attempt });
    default: {
      const request = random.between(1, 9);
      return native.encodeEnqueue({ request, queue: queueName(random), ...payload(random) });
    }
  }
}

function publish(random: Random): Uint8Array {
  return native.encodePublish({
    channel: channelName(random),
    ...payload(random),
    excludeSender: random.next() < 0.2,
    sender: random.pick(['', 'me']),
    messageId: random.pick(['', '', '', 'm1']),
    number: random.pick(NUMBERS),
  });
}

/** The kind is a claim of the publisher, and may be false. */
function payload(random: Random): { readonly kind: native.PayloadKind; readonly payload: Uint8Array } {
  const kind = random.pick(['text', 'bytes', 'json'] as const);
  return {
    kind,
    payload: encodeText(random.pick(['hi', '', '{"a":[1,2.0]}', '[', '日', '1e400', '"\\ud800"'])),
  };
}

function subjects(random: Random): native.Subject[] {
  return several(random, channelName).map((name) => ({ name, prefix: random.next() < 0.2 }));
}
