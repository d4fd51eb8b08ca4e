import { encodeFrame, encodeText, HEARTBEAT_FRAME, limits, native } from '@groupcast/protocol';
import type { Random } from '../faults/random.ts';
import { BARE_HELLO } from './bare-frames.ts';
import { channelName, queueName, several, watchedName } from './names.ts';

const NUMBERS = [0, 1, 2, 5, 255, 2 ** 32, Number.MAX_SAFE_INTEGER] as const;

/** The first frame of a native peer. */
export const HELLO: Uint8Array = hello(native.ALL_CAPABILITIES);

/** First frames of extended peers, by capabilities; the last one announces later opcodes. */
export const HELLOS: readonly Uint8Array[] = [1, 3, 5, 7, 0xffff_ffff].map((bits) => hello(bits));

/** First frames of bare peers. */
export const BARE_HELLOS: readonly Uint8Array[] = [hello(0), hello(6), BARE_HELLO];

function hello(capabilities: number): Uint8Array {
  const { NATIVE_VERSION: version } = native;
  return native.encodeHello({
    version,
    nonce: new Uint8Array(limits.NONCE_BYTES),
    name: 'fuzz',
    capabilities,
  });
}

/** Makes a message of a native peer; `epoch` is that of the hub. */
export function nativeFrame(random: Random, epoch: string): Uint8Array {
  switch (random.between(0, 13)) {
    case 0:
    case 1:
      return native.encodeSubscribe({ request: random.between(1, 9), subjects: subjects(random) });
    case 2:
      return native.encodeUnsubscribe(subjects(random));
    case 3: {
      const since = { epoch: random.pick([epoch, epoch, 'other', '']), offset: random.pick(NUMBERS) };
      const history = { request: random.between(1, 9), channel: channelName(random), since };
      return native.encodeHistory({
        ...history,
        last: random.pick([0, 0, 1, 5, 0xffff_ffff]),
        snapshot: random.next() < 0.3,
        afterKey: random.pick(['', '', 'k1', 'k9']),
      });
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
    case 8:
      return laterFrame(random);
    default:
      return publish(random);
  }
}

/** A frame with an opcode of a later version. */
function laterFrame(random: Random): Uint8Array {
  return encodeFrame(Uint8Array.of(random.between(0x16, 0x1f), 1, 2, 3));
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
      const messageId = random.pick(['', '', 'm1', 'm2']);
      return native.encodeEnqueue({ request, queue: queueName(random), messageId, ...payload(random) });
    }
  }
}

function publish(random: Random): Uint8Array {
  const ephemeral = random.next() < 0.2;
  const keyed = ephemeral || random.next() < 0.7 ? undefined : keyOf(random);
  return native.encodePublish({
    channel: channelName(random),
    ...payload(random),
    excludeSender: random.next() < 0.2,
    sender: random.pick(['', 'me']),
    messageId: ephemeral ? '' : random.pick(['', '', '', 'm1']),
    number: random.pick(NUMBERS),
    meta: random.pick(['', '', '{"uid":"a"}', '{"uid":"日"}', '[']),
    timeMs: random.pick(NUMBERS),
    ephemeral,
    keyed,
  });
}

function keyOf(random: Random): native.Keyed {
  return { key: random.pick(['k1', 'k2', 'k9', '日', '__proto__']), lifeMs: random.pick(NUMBERS) };
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
  return several(random, channelName).map((name) => {
    const subject = { name, prefix: random.next() < 0.2 };
    return random.next() < 0.5 ? subject : { ...subject, epoch: random.pick(['', 'other']) };
  });
}
