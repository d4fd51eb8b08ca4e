import type { MemoryHub, MemorySocket } from '@groupcast/hub/testing';
import { encodeText, FrameDecoder, isSystemChannel, native } from '@groupcast/protocol';
import { TEXT_FIELDS } from '@groupcast/testkit/in-process';
import { BARE_HELLO } from './bare-frames.ts';
import { checkBareOutput, checkOutput } from './check-output.ts';
import { jsonRequest } from './json-frames.ts';
import { HELLO } from './native-frames.ts';
import { phpRequest } from './php-frames.ts';

/** Names that no other peer knows. */
const CHANNEL = 'bystanders only';
const QUEUE = 'bystanders work';

/** Event-loop turns within which a bystander must be served. */
const TURNS_MAX = 20;

interface Bystander {
  readonly name: string;
  readonly socket: MemorySocket;
  /** Data received from the channel and the queue. */
  readonly got: string[];
}

/** One correct peer of each dialect, which must be served under all circumstances. */
export class Bystanders {
  readonly #hub: MemoryHub;
  readonly #finding: (what: string) => void;
  readonly #all: readonly Bystander[];
  #beats = 0;

  constructor(hub: MemoryHub, finding: (what: string) => void) {
    this.#hub = hub;
    this.#finding = finding;
    const subjects = [
      { name: CHANNEL, prefix: false },
      { name: 'g', prefix: true },
    ];
    this.#all = [
      this.#connect('native', HELLO, native.encodeSubscribe({ request: 1, subjects })),
      this.#connect('json', jsonRequest({ type: 'subscribe', channels: [CHANNEL, '__proto__'] })),
      this.#connect('php', phpRequest('subscribe', [CHANNEL, 'send_to_group', '__proto__'])),
      this.#connect('worker', phpRequest('watch', [QUEUE]), phpRequest('reserve', [])),
      this.#connect('bare', BARE_HELLO, native.encodeSubscribe({ request: 1, subjects })),
    ];
  }

  /** Each publishes or enqueues, and all recipients must receive it, in order. */
  async beat(): Promise<void> {
    const [nativePeer, jsonPeer, phpPeer, worker] = this.#all;
    this.#beats += 1;
    const texts = ['n', 'j', 'p'].map((from) => `${from}${this.#beats}`);
    const [ofNative = '', ofJson = '', ofPhp = ''] = texts;
    nativePeer?.socket.feed(nativePublish(ofNative));
    jsonPeer?.socket.feed(jsonRequest({ type: 'publish', channels: [CHANNEL], data: ofJson }));
    phpPeer?.socket.feed(phpRequest('publish', [CHANNEL], `s:${ofPhp.length}:"${ofPhp}";`));
    phpPeer?.socket.feed(phpRequest('enqueue', [QUEUE], `s:${ofPhp.length}:"${ofPhp}";`));
    const wanted = this.#all.map((peer) => (peer === worker ? ofPhp : texts.join()));
    for (let turn = 0; turn < TURNS_MAX && !this.#haveGot(wanted); turn++) await nextTurn();
    for (const [index, { name, got }] of this.#all.entries()) {
      const all = got.splice(0).join();
      if (all !== wanted[index]) this.#finding(`the ${name} bystander got "${all}", not "${wanted[index]}"`);
    }
    worker?.socket.feed(phpRequest('reserve', []));
  }

  leave(): void {
    for (const { socket } of this.#all) socket.feedEnd();
  }

  has(socket: MemorySocket): boolean {
    return this.#all.some((bystander) => bystander.socket === socket);
  }

  #haveGot(wanted: readonly string[]): boolean {
    return this.#all.every(({ got }, index) => got.join() === wanted[index]);
  }

  #connect(name: string, ...frames: readonly Uint8Array[]): Bystander {
    const decoder = new FrameDecoder();
    const got: string[] = [];
    const take = (frame: Uint8Array): void => {
      try {
        const { channel, data } = name === 'bare' ? checkBareOutput(frame) : checkOutput(frame);
        if (isSystemChannel(channel)) this.#finding(`the ${name} bystander got a publication of ${channel}`);
        if (channel === CHANNEL || channel === QUEUE) got.push(data);
      } catch (error) {
        this.#finding(`the ${name} bystander got ${hex(frame)}: ${error}`);
      }
    };
    const socket = this.#hub.connect((bytes) => decoder.push(bytes, take));
    for (const frame of frames) socket.feed(Uint8Array.from(frame));
    return { name, socket, got };
  }
}

export function nextTurn(): Promise<void> {
  return new Promise(setImmediate);
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function nativePublish(text: string): Uint8Array {
  const fields = TEXT_FIELDS;
  return native.encodePublish({ channel: CHANNEL, ...fields, payload: encodeText(text) });
}
