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

/** Every message of the native dialect. */
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

/** Reads one native frame, header included. Throws only ProtocolError. */
export function decodeNative(frame: Uint8Array): NativeMessage {
  const opcode = frame[FRAME_HEADER_BYTES];
  // The two that every message of a user goes through come first, and carry slices instead of being read to the end.
  if (opcode === OPCODES.publish) return { type: 'publish', publication: decodePublication(frame) };
  if (opcode === OPCODES.deliver) return { type: 'deliver', publication: decodePublication(frame) };
  const reader = new ByteReader(frame, FRAME_HEADER_BYTES + 1);
  const message = decodeFields(opcode, reader);
  reader.end();
  return message;
}

function decodeFields(opcode: number | undefined, reader: ByteReader): NativeMessage {
  switch (opcode) {
    case OPCODES.hello:
      return decodeHello(reader);
    case OPCODES.challenge:
      return decodeChallenge(reader);
    case OPCODES.proof:
      return decodeProof(reader);
    case OPCODES.welcome:
      return decodeWelcome(reader);
    case OPCODES.subscribe:
      return decodeSubscribe(reader);
    case OPCODES.subscribed:
      return decodeSubscribed(reader);
    case OPCODES.unsubscribe:
      return decodeUnsubscribe(reader);
    case OPCODES.published:
      return decodePublished(reader);
    case OPCODES.error:
      return decodeError(reader);
    case OPCODES.history:
      return decodeHistory(reader);
    case OPCODES.page:
      return decodePage(reader);
    case OPCODES.goaway:
      return decodeGoaway(reader);
    default:
      return decodeQueueFields(opcode, reader);
  }
}

function decodeQueueFields(opcode: number | undefined, reader: ByteReader): NativeMessage {
  switch (opcode) {
    case OPCODES.enqueue:
      return decodeEnqueue(reader);
    case OPCODES.enqueued:
      return decodeEnqueued(reader);
    case OPCODES.watch:
      return decodeWatch(reader);
    case OPCODES.unwatch:
      return decodeUnwatch(reader);
    case OPCODES.item:
      return decodeItem(reader);
    case OPCODES.done:
      return decodeItemResult('done', reader);
    case OPCODES.failed:
      return decodeItemResult('failed', reader);
    default:
      throw new ProtocolError('bad_frame', `Unknown opcode ${opcode}.`);
  }
}
