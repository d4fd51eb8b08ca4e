import { encodeError } from '../src/native/error-message.ts';
import { encodeGoaway } from '../src/native/goaway.ts';
import { encodeChallenge, encodeHello, encodeProof, encodeWelcome } from '../src/native/handshake.ts';
import { encodeHistory, encodePage } from '../src/native/history.ts';
import type { NativeMessage } from '../src/native/message.ts';
import { encodeDeliver, encodePublish, encodePublished } from '../src/native/publication.ts';
import {
  encodeEnqueue,
  encodeEnqueued,
  encodeItem,
  encodeItemResult,
  encodeUnwatch,
  encodeWatch,
} from '../src/native/queue.ts';
import { encodeSubscribe, encodeSubscribed, encodeUnsubscribe } from '../src/native/subscription.ts';

/** Inverse of `decodeNative`. Peers need no such function: each knows what it sends. */
export function encodeNative(message: NativeMessage): Uint8Array {
  switch (message.type) {
    case 'hello':
      return encodeHello(message);
    case 'challenge':
      return encodeChallenge(message);
    case 'proof':
      return encodeProof(message.proof);
    case 'welcome':
      return encodeWelcome(message);
    case 'subscribe':
      return encodeSubscribe(message);
    case 'subscribed':
      return encodeSubscribed(message);
    case 'unsubscribe':
      return encodeUnsubscribe(message.subjects);
    case 'publish':
      return encodePublish(message.publication);
    case 'deliver':
      return encodeDeliver(message.publication);
    case 'published':
      return encodePublished(message);
    case 'error':
      return encodeError(message);
    case 'history':
      return encodeHistory(message);
    case 'page':
      return encodePage(message);
    case 'goaway':
      return encodeGoaway(message);
    case 'enqueue':
      return encodeEnqueue(message);
    case 'enqueued':
      return encodeEnqueued(message);
    case 'watch':
      return encodeWatch(message);
    case 'unwatch':
      return encodeUnwatch(message.queue);
    case 'item':
      return encodeItem(message);
    case 'done':
    case 'failed':
      return encodeItemResult(message);
  }
}
