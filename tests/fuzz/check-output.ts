import { dialectOf, limits, native, php } from '@groupcast/protocol';
import { hubJsonReply } from '@groupcast/protocol/schema';
import { readBareDeliver } from './bare-frames.ts';

/** Messages that only peers send. */
const FROM_PEERS: ReadonlySet<string> = new Set<native.NativeMessage['type']>([
  ...(['hello', 'proof', 'subscribe', 'unsubscribe', 'publish', 'history'] as const),
  ...(['enqueue', 'watch', 'unwatch', 'done', 'failed'] as const),
]);

/** Content of a frame of the hub: channel and data as text; both empty if it is no delivery. */
export interface Output {
  readonly channel: string;
  readonly data: string;
}

const NO_DELIVERY: Output = { channel: '', data: '' };

/** Reads a frame as its peer would. Throws if a hub must not send it. */
export function checkOutput(frame: Uint8Array): Output {
  const body = frame.subarray(limits.FRAME_HEADER_BYTES);
  const [first] = body;
  if (first === undefined) return NO_DELIVERY;
  switch (dialectOf(first)) {
    case 'native':
      return nativeOutput(frame);
    case 'json':
      return jsonOutput(body);
    case 'php':
      return phpOutput(body);
    default:
      throw new Error('The hub sent a frame of no dialect.');
  }
}

function nativeOutput(frame: Uint8Array): Output {
  const message = native.decodeNative(frame);
  if (FROM_PEERS.has(message.type)) throw new Error(`The hub sent "${message.type}".`);
  if (message.type !== 'deliver') return NO_DELIVERY;
  const { channel, payload } = message.publication;
  return { channel, data: textOf(payload) };
}

/** Reads a frame as a bare native peer would. Throws if a hub must not send it. */
export function checkBareOutput(frame: Uint8Array): Output {
  const delivered = readBareDeliver(frame);
  return delivered === undefined
    ? NO_DELIVERY
    : { channel: delivered.channel, data: textOf(delivered.payload) };
}

function jsonOutput(body: Uint8Array): Output {
  const reply = hubJsonReply.parse(JSON.parse(textOf(body)));
  return reply.type === 'event' ? { channel: reply.channel, data: String(reply.data) } : NO_DELIVERY;
}

/** Anything but an event or an item ends the process of a PHP peer. */
function phpOutput(body: Uint8Array): Output {
  const value = php.decodePhp(body);
  if (!(value instanceof php.PhpArray) || value.size !== 3) throw new Error('A PHP peer got no delivery.');
  const [type, channel, data] = ['type', 'channel', 'data'].map((key) => value.get(key));
  const isKnown = type instanceof Uint8Array && ['event', 'queue'].includes(textOf(type));
  if (!isKnown || !(channel instanceof Uint8Array) || data === undefined) {
    throw new Error('A PHP peer got a delivery without a channel or data.');
  }
  return { channel: textOf(channel), data: data instanceof Uint8Array ? textOf(data) : '' };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
}
