import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { percentileOf } from '../report/statistics.ts';
import type { HubWire } from './hub-wire.ts';
import { MessageCounter } from './message-counter.ts';

const READ_BYTES = 256 * 1024;
const DRAIN_MS = 5_000;
const STAMP_BYTES = 8;

/**
 * Seconds of the warm-up. A hub with history keeps warming up until that is full: it allocates
 * memory, and the code that drops publications is not compiled yet.
 */
const WARM_SECONDS = 4;

/** A load of one hub over plain TCP. */
export interface HubLoad {
  readonly wire: HubWire;
  readonly port: number;
  readonly pids: readonly number[];
  readonly publishers: number;
  /** Subscribers; each subscribes to all channels. */
  readonly subscribers: number;
  readonly channels: number;
  readonly bytes: number;
  /** Closed loop: limit of messages of each publisher in flight to any subscriber. */
  readonly window?: number;
  /** Open loop: messages per second, one at a time. */
  readonly rate?: number;
  readonly seconds: number;
}

export interface HubResult {
  readonly deliveries: number;
  readonly perSecond: number;
  readonly cpuSecondsPerMillion: number;
  readonly generatorShare: number;
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
}

/**
 * Loads a hub from this process after a warm-up with the same load, and counts every message.
 * Throws when some are missing.
 */
export async function loadHub(load: HubLoad): Promise<HubResult> {
  const run = new HubRun(load);
  try {
    await run.open();
    await run.until(WARM_SECONDS);
    const result = await run.measure();
    await run.drain();
    return result;
  } finally {
    run.close();
  }
}

class HubRun {
  readonly #load: HubLoad;
  readonly #counters: MessageCounter[] = [];
  readonly #sockets: Socket[] = [];
  readonly #publishers: Publisher[] = [];
  readonly #latencies: number[] = [];
  #isMeasuring = false;
  #published = 0;
  #isDone = false;
  #sendAtMs = 0;

  constructor(load: HubLoad) {
    this.#load = load;
  }

  async open(): Promise<void> {
    const { subscribers, publishers, wire, channels, bytes } = this.#load;
    const names = Array.from({ length: channels }, (_, index) => `ch-${String(index).padStart(4, '0')}`);
    for (let index = 0; index < subscribers; index++) await this.#subscribe(names);
    for (let index = 0; index < publishers; index++) {
      const socket = await this.#connect(() => {});
      this.#publishers.push(
        new Publisher(
          socket,
          names.map((name) => wire.publish(name, stamped(bytes))),
        ),
      );
    }
    // Until every subscriber gets a publication to the last channel, some subscriptions are
    // pending.
    const [probe] = this.#publishers;
    while (probe !== undefined && this.#leastCount() === 0) {
      probe.sendLast();
      await pause(20);
    }
    await pause(200);
    for (const counter of this.#counters) counter.count = 0;
  }

  /** Sends for `seconds`. */
  until(seconds: number): Promise<void> {
    const endMs = performance.now() + seconds * 1_000;
    this.#sendAtMs = performance.now();
    return new Promise((resolve) => {
      const turn = (): void => {
        if (performance.now() >= endMs) {
          resolve();
          return;
        }
        this.#send();
        // While a closed loop waits for deliveries, there is nothing to do but to poll.
        setImmediate(turn);
      };
      turn();
    });
  }

  async measure(): Promise<HubResult> {
    const { pids, seconds } = this.#load;
    const startMs = performance.now();
    const before = this.#total();
    const cpu = cpuSecondsOf(pids);
    const own = process.cpuUsage();
    this.#isMeasuring = true;
    await this.until(seconds);
    this.#isMeasuring = false;
    const tookSeconds = (performance.now() - startMs) / 1_000;
    const cpuSeconds = cpuSecondsOf(pids) - cpu;
    const { user, system } = process.cpuUsage(own);
    const deliveries = this.#total() - before;
    return {
      deliveries,
      perSecond: deliveries / tookSeconds,
      cpuSecondsPerMillion: (cpuSeconds * 1e6) / deliveries,
      generatorShare: (user + system) / 1e6 / tookSeconds,
      p50Ms: percentileOf(this.#latencies, 0.5),
      p99Ms: percentileOf(this.#latencies, 0.99),
    };
  }

  async drain(): Promise<void> {
    const expected = this.#published * this.#load.subscribers;
    for (let waitedMs = 0; this.#total() < expected && waitedMs < DRAIN_MS; waitedMs += 10) await pause(10);
    const total = this.#total();
    if (total !== expected) throw new Error(`${total} deliveries came, ${expected} were due.`);
  }

  close(): void {
    this.#isDone = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  #send(): void {
    const { window, rate = 0, publishers } = this.#load;
    if (window !== undefined) {
      const free = window * publishers - (this.#published - this.#leastCount());
      const share = Math.floor(free / publishers);
      // As pipelines do it: half of the window is refilled at once, instead of message by message.
      if (share < window / 2) return;
      for (const publisher of this.#publishers) publisher.send(share);
      this.#published += share * publishers;
    } else if (performance.now() >= this.#sendAtMs) {
      // Stamped with the due time: a late send counts as latency.
      this.#publishers[0]?.sendStamped(this.#sendAtMs);
      this.#published += 1;
      this.#sendAtMs += 1_000 / rate;
    }
  }

  async #subscribe(names: readonly string[]): Promise<void> {
    const { wire, rate } = this.#load;
    const message =
      rate === undefined ? undefined : (bytes: Buffer, end: number): void => this.#record(bytes, end);
    const counter = new MessageCounter(wire, () => {}, message);
    this.#counters.push(counter);
    const socket = await this.#connect((bytes, length) => counter.push(bytes, length));
    socket.write(wire.subscribe(names));
  }

  #record(bytes: Buffer, payloadEnd: number): void {
    if (!this.#isMeasuring) return;
    const payloadAt = payloadEnd - this.#load.bytes;
    this.#latencies.push(performance.now() - bytes.readDoubleBE(payloadAt));
  }

  #connect(receive: (bytes: Buffer, length: number) => void): Promise<Socket> {
    const { port, wire } = this.#load;
    const { ping } = wire;
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    return new Promise((resolve, reject) => {
      const socket: Socket = connect({
        host: '127.0.0.1',
        port,
        noDelay: true,
        onread: {
          buffer,
          callback: (length) => {
            if (
              ping !== undefined &&
              length < 4_096 &&
              buffer.toString('latin1', 0, length).includes(ping.asks)
            ) {
              socket.write(ping.answer);
            }
            receive(buffer, length);
            return true;
          },
        },
      });
      socket.once('error', reject);
      socket.on('close', () => {
        if (!this.#isDone) throw new Error(`${wire.name} closed a connection.`);
      });
      socket.once('connect', () => {
        this.#sockets.push(socket);
        const hello = wire.hello();
        if (hello.length > 0) socket.write(hello);
        resolve(socket);
      });
    });
  }

  #leastCount(): number {
    let least = Number.POSITIVE_INFINITY;
    for (const { count } of this.#counters) least = Math.min(least, count);
    return least;
  }

  #total(): number {
    let total = 0;
    for (const { count } of this.#counters) total += count;
    return total;
  }
}

/** Publishes to one channel after the other, from prepared bytes. */
class Publisher {
  readonly #socket: Socket;
  readonly #frames: Buffer;
  readonly #frameBytes: number;
  readonly #count: number;
  readonly #stampAt: number;
  #next = 0;

  /** All frames have the same length. */
  constructor(socket: Socket, frames: readonly Uint8Array[]) {
    const repeated = Array.from({ length: Math.ceil(FRAMES_MIN / frames.length) }, () => frames).flat();
    this.#socket = socket;
    this.#frames = Buffer.concat(repeated);
    this.#count = repeated.length;
    this.#frameBytes = this.#frames.length / repeated.length;
    this.#stampAt = this.#frames.indexOf(STAMP_MARK);
  }

  send(count: number): void {
    for (let left = count; left > 0; ) {
      const some = Math.min(left, this.#count - this.#next);
      // The hub may be slower than this process: bytes that the socket buffers must not change.
      const { start, end } = {
        start: this.#next * this.#frameBytes,
        end: (this.#next + some) * this.#frameBytes,
      };
      this.#socket.write(this.#frames.subarray(start, end));
      this.#next = (this.#next + some) % this.#count;
      left -= some;
    }
  }

  sendLast(): void {
    this.#socket.write(this.#frames.subarray(-this.#frameBytes));
  }

  /** With the time in the first bytes of its payload. */
  sendStamped(nowMs: number): void {
    const frame = Buffer.from(this.#frames.subarray(0, this.#frameBytes));
    frame.writeDoubleBE(nowMs, this.#stampAt);
    this.#socket.write(frame);
  }
}

/** Limit of messages in one write. */
const FRAMES_MIN = 1_024;

const STAMP_MARK = Buffer.alloc(STAMP_BYTES, 0x23);

function stamped(bytes: number): Buffer {
  return Buffer.concat([STAMP_MARK, Buffer.alloc(bytes - STAMP_BYTES, 0x78)]);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Returns user and system time of processes so far. Linux counts in hundredths of a second
 * (proc(5)).
 */
function cpuSecondsOf(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / 100;
}
