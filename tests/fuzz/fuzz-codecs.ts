import { encodeText, limits, native, ProtocolError, php } from '@groupcast/protocol';
import { parseHubJsonRequest } from '@groupcast/protocol/schema';
import { Random } from '../faults/random.ts';
import { bareFrame, readBareDeliver } from './bare-frames.ts';
import { hex } from './bystanders.ts';
import type { FuzzReport } from './fuzz-report.ts';
import { jsonFrame } from './json-frames.ts';
import { mutate } from './mutate.ts';
import { nativeFrame } from './native-frames.ts';
import { phpFrame, phpValue } from './php-frames.ts';

interface Codec {
  readonly name: string;
  /** Wraps a body that the codec reads in a frame. */
  readonly valid: (random: Random) => Uint8Array;
  /** Reads a body. Throws ProtocolError for an invalid one; any other error is a finding. */
  readonly read: (body: Uint8Array, frame: Uint8Array) => void;
}

const CODECS: readonly Codec[] = [
  { name: 'PHP values', valid: (random) => framed(phpValue(random)), read: readPhpValue },
  { name: 'PHP requests', valid: phpFrame, read: readPhpRequest },
  {
    name: 'native',
    valid: (random) => nativeFrame(random, 'epoch'),
    read: (_, frame) => native.decodeNative(frame),
  },
  {
    name: 'bare',
    valid: (random) => bareFrame(nativeFrame(random, 'epoch')),
    read: (_, frame) => native.decodeNative(native.fromBare(frame)),
  },
  { name: 'native to bare', valid: deliverFrame, read: (_, frame) => readAsBare(frame) },
  { name: 'JSON requests', valid: jsonFrame, read: (body) => parseHubJsonRequest(body) },
  { name: 'JSON to PHP', valid: jsonFrame, read: readJsonAsPhp },
];

/** Valid frames for each codec. */
const POOL_FRAMES = 100;

/**
 * Feeds each codec directly: it gets further than a peer, whose first invalid frame is its last.
 */
export function fuzzCodecs(seed: number, frames: number, report: FuzzReport): void {
  const random = new Random(seed);
  const pools = CODECS.map(({ valid }) => Array.from({ length: POOL_FRAMES }, () => valid(random)));
  for (let count = 0; count < frames; count++) {
    const index = random.between(0, CODECS.length - 1);
    const [codec, pool] = [CODECS[index]!, pools[index]!];
    const frame = mutate(random, random.pick(pool), random.pick(pool));
    try {
      codec.read(frame.subarray(limits.FRAME_HEADER_BYTES), frame);
    } catch (error) {
      if (error instanceof ProtocolError) continue;
      const stack = error instanceof Error ? error.stack : String(error);
      report.finding(seed, `${codec.name}: ${stack}`, [hex(frame)]);
    }
  }
  report.frames += frames;
}

function deliverFrame(random: Random): Uint8Array {
  for (;;) {
    const frame = nativeFrame(random, 'epoch');
    if (native.isPlainPublish(frame, 0, frame.length)) return frame;
  }
}

/** A publication that was accepted has the same channel and payload for a bare peer. */
function readAsBare(frame: Uint8Array): void {
  const { channel, payload, ephemeral } = native.decodePublication(frame);
  const deliver = frame.slice();
  native.turnIntoDeliver(deliver, 1, 1);
  const bare = native.formFor(deliver, 0);
  const read = bare && readBareDeliver(bare);
  if (ephemeral ? bare !== undefined : read?.channel !== channel || hex(read.payload) !== hex(payload))
    throw new Error(`It is ${bare && hex(bare)} for a bare peer.`);
}

/** A value that was read is written and read again unchanged; as JSON it is valid. */
function readPhpValue(body: Uint8Array): void {
  const value = php.decodePhp(body);
  php.checkPhp(body);
  const written = php.encodePhp(value);
  const again = php.encodePhp(php.decodePhp(written));
  if (hex(written) !== hex(again))
    throw new Error(`It is written as ${hex(written)}, and then as ${hex(again)}.`);
  const { text } = php.toJson(value);
  JSON.parse(text);
  php.fromJson(text);
}

function readPhpRequest(body: Uint8Array): void {
  const request = php.readRequest(body);
  if ('names' in request) request.names.take(request.names.left);
  if ('data' in request) php.checkPhp(body, request.data.start, request.data.end);
}

/** Any JSON that is accepted can be written for PHP; only a limit of PHP may reject it. */
function readJsonAsPhp(body: Uint8Array): void {
  const text = Buffer.from(body).toString();
  php.decodePhp(php.encodePhp(php.fromJson(text)));
}

function framed(body: Uint8Array): Uint8Array {
  return Buffer.concat([encodeText('\0\0\0\0'), body]);
}
