import { connect, type Socket } from 'node:net';
import { FrameDecoder, limits, native } from '@groupcast/protocol';
import { createHub } from './hub.ts';

/** Peers that subscribe to all channels; one of them publishes. */
const PEERS = 3;

const CHANNELS = 64;

/** Publications sent at once in every tenth round. The other rounds send one. */
const RUN = 50;

const ROUNDS_MAX = 4_000;

/**
 * Rounds with a first hub. The compiler specializes code that has seen one instance of a class, and
 * compiles it again for the second.
 */
const FIRST_ROUNDS_MAX = 200;

export interface WarmUpOptions {
  /** Whether the hub uses the fast paths, so that the paths in use become warm. */
  readonly directSockets: boolean;
  /** Maximum time, in milliseconds. 0 disables the warm-up. */
  readonly maxMs: number;
  /** Maximum number of rounds. Default 4,000. */
  readonly roundsMax?: number;
}

/**
 * Warms up the compiler with publications through temporary hubs: a cold process takes several
 * times as long for each of its first thousand messages. Resolves with the number of rounds.
 */
export async function warmUp({
  directSockets,
  maxMs,
  roundsMax = ROUNDS_MAX,
}: WarmUpOptions): Promise<number> {
  if (maxMs === 0) return 0;
  const endMs = performance.now() + maxMs;
  const first = await warmUpHub(directSockets, Math.min(FIRST_ROUNDS_MAX, roundsMax), endMs);
  return first + (await warmUpHub(directSockets, roundsMax - first, endMs));
}

async function warmUpHub(directSockets: boolean, roundsMax: number, endMs: number): Promise<number> {
  if (roundsMax === 0 || performance.now() >= endMs) return 0;
  const hub = createHub({ host: '127.0.0.1', port: 0, link: { directSockets } });
  const peers: WarmUpPeer[] = [];
  try {
    const { port } = await hub.listen();
    for (let index = 0; index < PEERS; index++) peers.push(new WarmUpPeer(port));
    await Promise.all(peers.map((peer) => peer.received(FRAMES_BEFORE)));
    let rounds = 0;
    let sent = 0;
    while (rounds < roundsMax && performance.now() < endMs) {
      const count = rounds % 10 === 0 ? RUN : 1;
      peers[0]?.publish(rounds % CHANNELS, count);
      sent += count;
      rounds += 1;
      await Promise.all(peers.map((peer) => peer.received(FRAMES_BEFORE + sent)));
    }
    return rounds;
  } finally {
    for (const peer of peers) peer.close();
    await hub.close();
  }
}

/** Frames before the first publication: WELCOME and SUBSCRIBED. */
const FRAMES_BEFORE = 2;

class WarmUpPeer {
  readonly #socket: Socket;
  readonly #decoder = new FrameDecoder();
  #frames = 0;
  #wanted = Number.POSITIVE_INFINITY;
  #resolve: () => void = () => {};
  #reject: (error: Error) => void = () => {};

  constructor(port: number) {
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.#socket.on('data', (chunk) => this.#receive(chunk));
    this.#socket.on('error', (error) => this.#reject(error));
    this.#socket.on('close', () => this.#reject(new Error('A connection to the warm-up hub closed.')));
    const subjects = Array.from({ length: CHANNELS }, (_, index) => ({
      name: channel(index),
      prefix: false,
    }));
    const nonce = new Uint8Array(limits.NONCE_BYTES);
    this.#socket.write(native.encodeHello({ version: native.NATIVE_VERSION, nonce, name: 'warm-up' }));
    this.#socket.write(native.encodeSubscribe({ request: 1, subjects }));
  }

  publish(index: number, count: number): void {
    const publication = { kind: 'text', excludeSender: false, sender: 'warm-up', messageId: '' } as const;
    const frame = native.encodePublish({
      ...publication,
      channel: channel(index),
      payload: PAYLOAD,
      number: 0,
    });
    this.#socket.write(Buffer.concat(Array.from({ length: count }, () => frame)));
  }

  /** Resolves when `frames` frames have been received in total. */
  received(frames: number): Promise<void> {
    if (this.#frames >= frames) return Promise.resolve();
    this.#wanted = frames;
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(chunk: Uint8Array): void {
    this.#decoder.push(chunk, () => {
      this.#frames += 1;
    });
    if (this.#frames >= this.#wanted) this.#resolve();
  }
}

const PAYLOAD = 'A message of about the length that most messages have, which are short.';

function channel(index: number): string {
  return `${limits.GROUP_CHANNEL_PREFIX}warm-up-${index}`;
}
