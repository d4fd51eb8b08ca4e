import { MemoryEngine, MemoryHub, type MemorySocket } from '@groupcast/hub/testing';
import { FrameDecoder, type Position } from '@groupcast/protocol';
import { Random } from '../faults/random.ts';
import { bareFrame } from './bare-frames.ts';
import { Bystanders, hex, nextTurn } from './bystanders.ts';
import { checkBareOutput, checkOutput } from './check-output.ts';
import type { FuzzReport } from './fuzz-report.ts';
import { jsonFrame } from './json-frames.ts';
import { mutate } from './mutate.ts';
import { BARE_HELLOS, HELLOS, nativeFrame } from './native-frames.ts';
import { phpFrame } from './php-frames.ts';

/** Limit of peers at a time. */
const PEERS = 12;
/** Limit of frames of one peer. */
const FRAMES_PER_PEER_MAX = 60;
/** Limit of frames in one write. */
const BURST_MAX = 8;
/** Frames between two checks that bystanders are served. */
const BEAT_FRAMES = 200;
/** Valid frames of each dialect. The traffic consists of them and their mutations. */
const POOL_FRAMES = 150;
/** Share of unchanged frames: a peer that is always invalid tests little. */
const VALID_SHARE = 0.6;
/**
 * Share of checked frames among those that fuzzed peers receive; all of the bystanders are checked.
 */
const READ_SHARE = 0.1;

/** Index of the bare peers in the traffic. Native ones come behind them. */
const BARE = 3;

interface Peer {
  readonly socket: MemorySocket;
  readonly frame: () => Uint8Array;
  framesLeft: number;
}

/** One hub, many peers, one seed: the same seed feeds the same bytes in the same turns. */
export class FuzzRound {
  readonly #random: Random;
  readonly #report: FuzzReport;
  readonly #hub: MemoryHub;
  readonly #bystanders: Bystanders;
  readonly #peers: Peer[] = [];
  /** The latest frames, to find the one that caused a failure. */
  readonly #last: string[] = [];
  readonly #traffic: readonly (readonly Uint8Array[])[];

  constructor(seed: number, report: FuzzReport) {
    this.#random = new Random(seed);
    this.#report = report;
    const limits = { countMax: 20, bytesMax: 20_000, totalBytesMax: 200_000 };
    const engine = new MemoryEngine(limits, { keyed: { valuesMax: 20, bytesMax: 20_000 } });
    // Small enough to be reached.
    const queues = { itemsMax: 20, queuesMax: 30, watchesMax: 5, attemptsMax: 3 };
    this.#hub = new MemoryHub(
      { engine, queues, channelsPerPeerMax: 5, phpAck: seed % 2 === 0 ? 'reserve' : 'delivery' },
      (end, error, socket) => {
        report.ended(end);
        if (end === 'internal_error') this.#finding(`the hub failed: ${error?.stack}`);
        else if (this.#bystanders.has(socket) && end !== 'peer_closed')
          this.#finding(`a bystander was closed: ${end}`);
      },
    );
    const { epoch } = positionIn(engine);
    const dialects = [
      phpFrame,
      phpFrame,
      jsonFrame,
      (random: Random) => bareFrame(nativeFrame(random, epoch)),
      (random: Random) => nativeFrame(random, epoch),
    ];
    this.#traffic = dialects.map((valid) => Array.from({ length: POOL_FRAMES }, () => valid(this.#random)));
    this.#bystanders = new Bystanders(this.#hub, (what) => this.#finding(what));
  }

  async run(frames: number): Promise<void> {
    await this.#hub.start();
    for (let sent = 0, beatAt = BEAT_FRAMES; sent < frames; ) {
      sent += this.#burst();
      if (sent < beatAt) continue;
      beatAt += BEAT_FRAMES;
      await this.#bystanders.beat();
    }
    const { published, delivered } = this.#hub.router.stats();
    await this.#end();
    this.#report.add({ frames, published, delivered, done: this.#hub.queues.stats().done });
  }

  /** Sends some frames of one peer in one write. Returns their number. */
  #burst(): number {
    const peer = this.#peer();
    const count = Math.min(peer.framesLeft, this.#random.between(1, BURST_MAX));
    peer.framesLeft -= count;
    const bytes = Buffer.concat(Array.from({ length: count }, peer.frame));
    this.#last.push(hex(bytes));
    if (this.#last.length > PEERS) this.#last.shift();
    const cut = this.#random.next() < 0.2 ? this.#random.between(0, bytes.length) : bytes.length;
    // Copies, because the hub writes into the bytes that it reads, and may keep them.
    peer.socket.feed(Buffer.from(bytes.subarray(0, cut)));
    if (cut < bytes.length) peer.socket.feed(Buffer.from(bytes.subarray(cut)));
    if (peer.framesLeft === 0) peer.socket.feedEnd();
    return count;
  }

  #peer(): Peer {
    const index = this.#random.between(0, PEERS - 1);
    const known = this.#peers[index];
    if (known !== undefined && !known.socket.destroyed) return known;
    const peer = this.#connect();
    this.#peers[index] = peer;
    return peer;
  }

  #connect(): Peer {
    const random = this.#random;
    const traffic = random.pick(this.#traffic);
    const frame = (): Uint8Array => {
      const right = random.pick(traffic);
      return random.next() < VALID_SHARE ? right : mutate(random, right, random.pick(traffic));
    };
    const decoder = new FrameDecoder();
    const dialect = this.#traffic.indexOf(traffic);
    const check = dialect === BARE ? checkBareOutput : checkOutput;
    const take = (output: Uint8Array): void => {
      this.#report.received += 1;
      if (random.next() < READ_SHARE) this.#read(output, check);
    };
    const socket = this.#hub.connect((bytes) => decoder.push(bytes, take));
    if (dialect >= BARE) socket.feed(Uint8Array.from(random.pick(dialect === BARE ? BARE_HELLOS : HELLOS)));
    return { socket, frame, framesLeft: random.between(1, FRAMES_PER_PEER_MAX) };
  }

  #read(output: Uint8Array, check: (output: Uint8Array) => unknown): void {
    try {
      check(output);
    } catch (error) {
      this.#finding(`a peer got ${hex(output)}: ${error}`);
    }
  }

  /** Closes all peers and checks that no state is left. */
  async #end(): Promise<void> {
    for (const { socket } of this.#peers) socket?.feedEnd();
    this.#bystanders.leave();
    // The turn in which sockets close, and those in which buffered frames leave.
    for (let turn = 0; turn < 5; turn++) await nextTurn();
    this.#hub.emptyQueues();
    const { channels, prefixes, subscriptions } = this.#hub.router.stats();
    const { queues, waiting, leased, bytes } = this.#hub.queues.stats();
    const { connectedPeers, pendingPeers } = this.#hub;
    const left = {
      connectedPeers,
      pendingPeers,
      channels,
      prefixes,
      subscriptions,
      queues,
      waiting,
      leased,
      bytes,
    };
    for (const [what, count] of Object.entries({ ...left, turns: this.#hub.roundRobinNames })) {
      if (count !== 0) this.#finding(`${count} ${what} were left when all peers had gone`);
    }
    await this.#hub.close();
  }

  #finding(what: string): void {
    this.#report.finding(this.#random.seed, what, this.#last);
  }
}

/** Position of an unknown channel of the engine. */
function positionIn(engine: MemoryEngine): Position {
  let position: Position = { epoch: '', offset: 0 };
  const slot = {
    historyPage: (_request: number, page: { readonly position: Position }): void => {
      position = page.position;
    },
    historyRejected: (): void => {},
  };
  engine.history({ channel: 'unknown', since: position }, slot, 1);
  return position;
}
