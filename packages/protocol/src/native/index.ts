export { fromBare } from './bare.ts';
export { ALL_CAPABILITIES, CAPABILITIES, hasCapability, mayHaveOpcode } from './capabilities.ts';
export { compareEpochs, type EpochComparison } from './epoch-comparison.ts';
export { type ErrorMessage, encodeError } from './error-message.ts';
export { encodeGoaway } from './goaway.ts';
export {
  type Challenge,
  encodeChallenge,
  encodeHello,
  encodeProof,
  encodeWelcome,
  type Hello,
  type Proof,
  type ProofRole,
  proofInput,
  type Welcome,
} from './handshake.ts';
export {
  encodeHistory,
  encodePage,
  type History,
  type HistoryToEncode,
  type HistoryVerdict,
  type Page,
} from './history.ts';
export { decodeNative, type NativeMessage } from './message.ts';
export { NATIVE_VERSION, OPCODES } from './opcode.ts';
export { formFor } from './peer-form.ts';
export {
  decodePublication,
  encodeDeliver,
  encodePublish,
  encodePublished,
  KEY_HEADER_BYTES,
  type Keyed,
  type PayloadKind,
  PUBLICATION_DEFAULTS,
  PUBLICATION_HEADER_BYTES,
  type Publication,
  type PublicationToEncode,
  type Published,
  turnIntoDeliver,
} from './publication.ts';
export {
  channelAt,
  channelLengthAt,
  isKeyed,
  isPlainPublish,
  numberAt,
  senderAt,
  senderLengthAt,
  writeLife,
} from './publication-span.ts';
export {
  type Enqueue,
  type Enqueued,
  encodeEnqueue,
  encodeEnqueued,
  encodeItem,
  encodeItemResult,
  encodeUnwatch,
  encodeWatch,
  ITEM_HEADER_BYTES,
  type Item,
  type ItemResult,
  type Unwatch,
  type Watch,
} from './queue.ts';
export {
  encodeSubscribe,
  encodeSubscribed,
  encodeUnsubscribe,
  type Subject,
  type Subscribe,
  type Subscribed,
  type SubscribedEntry,
} from './subscription.ts';
