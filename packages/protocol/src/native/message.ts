import { FRAME_HEADER_BYTES } from '../limits.ts';
import { ProtocolError } from '../protocol-error.ts';
import { ByteReader } from './byte-reader.ts';
import { decodeError, type ErrorMessage } from './error-message.ts';
import { decodeGoaway, type Goaway } from './goaway.ts';
import {
  type Challenge,
  decodeChallenge,
  decodeHello,
  decodeProof,
  decodeWelcome,
  type Hello,
  type Proof,
  type Welcome,
} from './handshake.ts';
import { decodeHistory, decodePage, type History, type Page } from './history.ts';
import { OPCODES } from './opcode.ts';
import { decodePublication, decodePublished, type Publication, type Published } from './publication.ts';
import {
  decodeEnqueue,
  decodeEnqueued,
  decodeItem,
  decodeItemResult,
  decodeUnwatch,
  decodeWatch,
  type Enqueue,
  type Enqueued,
  type Item,
  type ItemResult,
  type Unwatch,
  type Watch,
} from './queue.ts';
import {
  decodeSubscribe,
  decodeSubscribed,
  decodeUnsubscribe,
  type Subscribe,
  type Subscribed,
  type Unsubscribe,
} from './subscription.ts';

interface PublishMessage {
  readonly type: 'publish';
  readonly publication: Publication;
}

interface DeliverMessage {
  readonly type: 'deliver';
  readonly publication: Publication;
}

/** All messages of the native dialect. */
export type NativeMessage =
  | Hello
  | Challenge
  | Proof
  | Welcome
  | Subscribe
  | Subscribed
  | Unsubscribe
  | PublishMessage
  | DeliverMessage
  | Published
  | ErrorMessage
  | History
  | Page
  | Goaway
  | Enqueue
  | Enqueued
  | Watch
  | Unwatch
  | Item
  | ItemResult;

type Opcode = (typeof OPCODES)[keyof typeof OPCODES];
type Decoder = (reader: ByteReader) => NativeMessage;

/** Decoders by opcode, without those of publications. */
const DECODERS: Readonly<Record<Exclude<Opcode, PublicationOpcode>, Decoder>> = {
  [OPCODES.hello]: decodeHello,
  [OPCODES.challenge]: decodeChallenge,
  [OPCODES.proof]: decodeProof,
  [OPCODES.welcome]: decodeWelcome,
  [OPCODES.subscribe]: decodeSubscribe,
  [OPCODES.subscribed]: decodeSubscribed,
  [OPCODES.unsubscribe]: decodeUnsubscribe,
  [OPCODES.published]: decodePublished,
  [OPCODES.error]: decodeError,
  [OPCODES.history]: decodeHistory,
  [OPCODES.page]: decodePage,
  [OPCODES.goaway]: decodeGoaway,
  [OPCODES.enqueue]: decodeEnqueue,
  [OPCODES.enqueued]: decodeEnqueued,
  [OPCODES.watch]: decodeWatch,
  [OPCODES.unwatch]: decodeUnwatch,
  [OPCODES.item]: decodeItem,
  [OPCODES.done]: (reader) => decodeItemResult('done', reader),
  [OPCODES.failed]: (reader) => decodeItemResult('failed', reader),
};

type PublicationOpcode = typeof OPCODES.publish | typeof OPCODES.deliver;

/** Reads one native frame, header included. Throws only ProtocolError. */
export function decodeNative(frame: Uint8Array): NativeMessage {
  const opcode = frame[FRAME_HEADER_BYTES];
  // First the two of each message of a user. Their payload is the rest of the frame.
  if (opcode === OPCODES.publish) return { type: 'publish', publication: decodePublication(frame) };
  if (opcode === OPCODES.deliver) return { type: 'deliver', publication: decodePublication(frame) };
  const decode = decoderOf(opcode);
  if (decode === undefined) throw new ProtocolError('bad_frame', `Unknown opcode ${opcode}.`);
  const reader = new ByteReader(frame, FRAME_HEADER_BYTES + 1);
  // Bytes behind the last field are fields of a later version.
  return decode(reader);
}

function decoderOf(opcode: number | undefined): Decoder | undefined {
  const decoders: Readonly<Record<number, Decoder | undefined>> = DECODERS;
  return decoders[opcode ?? 0];
}
