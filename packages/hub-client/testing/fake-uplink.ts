import { native } from '@groupcast/protocol';
import type { Uplink } from '../src/connection/uplink.ts';

/** An uplink that keeps what is sent. */
export class FakeUplink implements Uplink {
  isOpen = true;
  readonly lastError = undefined;
  bufferedBytes = 0;
  /** What was sent, and not taken. */
  sent: native.NativeMessage[] = [];
  #lastRequest = 0;

  nextRequest(): number {
    this.#lastRequest += 1;
    return this.#lastRequest;
  }

  send(frame: Uint8Array): void {
    this.sent.push(native.decodeNative(frame));
  }

  /** Takes what was sent, which must be HISTORYs. */
  takeHistories(): native.History[] {
    return this.sent.splice(0).map((message) => {
      if (message.type !== 'history') throw new Error(`${message.type} was sent, not history.`);
      return message;
    });
  }
}
