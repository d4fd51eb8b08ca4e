import { native } from '@groupcast/protocol';
import type { RequestConnection } from '../src/connection/requests.ts';

/** A connection that keeps the messages that are sent. */
export class FakeConnection implements RequestConnection {
  isOpen = true;
  bufferedBytes = 0;
  capabilities = native.ALL_CAPABILITIES;
  /** Messages that were sent and not removed by the test. */
  sent: native.NativeMessage[] = [];

  send(frame: Uint8Array): void {
    this.sent.push(native.decodeNative(frame));
  }

  /** Removes and returns the messages that were sent, which must be HISTORY messages. */
  takeHistories(): native.History[] {
    return this.sent.splice(0).map((message) => {
      if (message.type !== 'history') throw new Error(`${message.type} was sent, not history.`);
      return message;
    });
  }
}
