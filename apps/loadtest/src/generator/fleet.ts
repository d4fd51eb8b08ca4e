import { readFileSync } from 'node:fs';
import type { OpenedReport, Target } from '../control/messages.ts';
import type { ProcessPlan } from '../plan.ts';
import type { Protocol } from '../protocols/protocol.ts';
import { Handshake } from '../wire/handshake.ts';
import { Connection, type ConnectionEvents, type Destination, type Ending } from './connection.ts';
import { CpuMeter } from './cpu-meter.ts';
import { LatencyRecorder } from './latency-recorder.ts';
import { Opener } from './opener.ts';

/** Set-up and listener of a Fleet. */
export interface FleetOptions {
  readonly plan: ProcessPlan;
  readonly target: Target;
  readonly protocol: Protocol;
  readonly groupName: (group: number) => string;
  readonly nowUs: () => number;
  /** A member received a message with the payload `bytes[start..end)`. */
  readonly onDelivered: (member: number, bytes: Uint8Array, start: number, end: number) => void;
  /** Called before the deliveries of one read. */
  readonly onReadStarted: () => void;
  /** The server rejected a request, or closed an open connection. */
  readonly onComplaint: (reason: string) => void;
  readonly onDone: (report: OpenedReport) => void;
  readonly onFailed: (reason: string, ending: Ending) => void;
}

/** One buffer for all reads of the process: its content is processed before the next read. */
const READ_BYTES = 64 * 1024;

/** At most 1,000,000 members make 251 addresses in one process. */
const CONNECTIONS_PER_ADDRESS = 4_000;

const MICROS_PER_SECOND = 1_000_000;

/**
 * The connections of a process: opens them, joins their groups, keeps them. Publishers come first.
 */
export class Fleet implements ConnectionEvents {
  readonly #options: FleetOptions;
  readonly #to: Destination;
  readonly #connections: (Connection | undefined)[] = [];
  readonly #indexOf = new Map<Connection, number>();
  readonly #opener: Opener;
  readonly #handshakes = new LatencyRecorder();
  readonly #cpu = new CpuMeter();
  #startUs = 0;
  #closing = false;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#to = destination(options);
    const { plan } = options;
    this.#opener = new Opener({
      count: plan.publisherCount + plan.memberGroups.length,
      connectingMax: plan.connectingMax,
      perSecond: plan.handshakeRate,
      open: (index) => this.#open(index),
      abandon: (index) => this.#connections[index]?.close({ reason: 'it took too long' }),
      nowUs: options.nowUs,
      onOpened: (handshakeUs) => this.#handshakes.record(handshakeUs),
      onDone: () => this.#done(),
      onFailed: options.onFailed,
    });
  }

  /** Number of connections that are open and joined. */
  get openCount(): number {
    return this.#opener.openCount;
  }

  open(): void {
    this.#cpu.restart();
    this.#startUs = this.#options.nowUs();
    this.#opener.start();
  }

  stopOpening(): void {
    this.#opener.stop();
  }

  /** Returns the publishing connection by its index; undefined when it has ended. */
  publisher(index: number): Connection | undefined {
    return this.#connections[index];
  }

  /** Returns the connection of a member; undefined when it has ended. */
  member(index: number): Connection | undefined {
    return this.#connections[this.#options.plan.publisherCount + index];
  }

  close(): void {
    this.#closing = true;
    for (const connection of this.#connections) connection?.close({ reason: 'the run is over' });
  }

  readStarted(): void {
    this.#options.onReadStarted();
  }

  greeted(connection: Connection): void {
    connection.greeted = true;
    const { plan, protocol, groupName } = this.#options;
    if (connection.member < 0) this.#opened(connection);
    else connection.write(protocol.join(groupName(plan.memberGroups[connection.member] ?? 0)));
  }

  confirmed(connection: Connection): void {
    if (connection.greeted) this.#opened(connection);
    else this.greeted(connection);
  }

  delivered(connection: Connection, bytes: Uint8Array, start: number, end: number): void {
    this.#options.onDelivered(connection.member, bytes, start, end);
  }

  refused(connection: Connection, reason: string): void {
    const index = this.#indexOf.get(connection);
    if (index !== undefined && this.#opener.isOpening(index)) connection.close({ reason, code: 'REFUSED' });
    else this.#options.onComplaint(reason);
  }

  broken(connection: Connection, reason: string): void {
    connection.close({ reason });
  }

  ended(connection: Connection, ending: Ending): void {
    const index = this.#indexOf.get(connection);
    this.#indexOf.delete(connection);
    if (index === undefined || this.#closing) return;
    this.#connections[index] = undefined;
    if (!this.#opener.failed(index, ending)) this.#options.onComplaint(ending.reason);
  }

  #open(index: number): void {
    const member = index - this.#options.plan.publisherCount;
    const connection = new Connection(index, Math.max(-1, member), this.#to, this);
    this.#connections[index] = connection;
    this.#indexOf.set(connection, index);
  }

  #opened(connection: Connection): void {
    const index = this.#indexOf.get(connection);
    if (index !== undefined) this.#opener.opened(index);
  }

  #done(): void {
    const { openCount, retried } = this.#opener;
    this.#options.onDone({
      connections: openCount,
      retried,
      seconds: (this.#options.nowUs() - this.#startUs) / MICROS_PER_SECOND,
      cpuShare: this.#cpu.share(),
      handshakes: this.#handshakes.encode(),
    });
  }
}

function destination({ plan, target, protocol }: FleetOptions): Destination {
  // An address has 28,000 local ports, and the search for a free one slows down as they are used
  // up. On Linux all of 127/8 is this machine.
  const tokens = tokensOf(plan);
  const loopback = target.address.startsWith('127.') && process.platform === 'linux';
  return {
    address: target.address,
    port: target.port,
    tlsName: target.tlsName ?? undefined,
    localAddress: (index) =>
      loopback ? `127.0.${plan.index}.${1 + Math.floor(index / CONNECTIONS_PER_ADDRESS)}` : undefined,
    handshake: new Handshake(target.host, target.path ?? protocol.defaultPath),
    token: (index) => tokens[index % tokens.length],
    protocol,
    readBuffer: Buffer.allocUnsafeSlow(READ_BYTES),
  };
}

/** Reads the tokens of this process. It begins where the process before it has ended. */
function tokensOf({ tokensFile, index, publisherCount, memberGroups }: ProcessPlan): readonly string[] {
  if (tokensFile === '') return [];
  const tokens = readFileSync(tokensFile, 'utf8').split('\n').filter(Boolean);
  const start = (index * (publisherCount + memberGroups.length)) % Math.max(tokens.length, 1);
  return [...tokens.slice(start), ...tokens.slice(0, start)];
}
