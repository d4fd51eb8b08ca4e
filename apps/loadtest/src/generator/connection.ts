import { connect, type Socket, type TcpNetConnectOpts } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Protocol, ProtocolEvents, Wire } from '../protocols/protocol.ts';
import { encodeClientFrame, OPCODE } from '../wire/client-frame.ts';
import { FrameReader, type FrameSink } from '../wire/frame-reader.ts';
import type { Handshake } from '../wire/handshake.ts';

/** Destination and shared state of all connections of a process. */
export interface Destination {
  /** IP address: names are resolved before. */
  readonly address: string;
  readonly port: number;
  /** Name to verify a certificate against; undefined without TLS. */
  readonly tlsName: string | undefined;
  /** Returns the local address of a connection by its index; undefined: chosen by the system. */
  readonly localAddress: (index: number) => string | undefined;
  readonly handshake: Handshake;
  /** Returns the token of a connection by its index; undefined without tokens. */
  readonly token: (index: number) => string | undefined;
  readonly protocol: Protocol;
  /** Buffer of every read of every connection, one at a time. */
  readonly readBuffer: Buffer;
}

/** Reason for which a connection ended. */
export interface Ending {
  readonly reason: string;
  /** The server is busy and asks to retry after this time. */
  readonly retryAfterMs?: number;
  /** Code of the system's error, or REFUSED: the server rejected the connection for good. */
  readonly code?: string;
}

/** Listener of a connection. */
export interface ConnectionEvents extends ProtocolEvents<Connection> {
  /** Bytes arrived; their content follows. */
  readStarted(): void;
  /** The upgrade is done, and no confirmation is pending before a join. */
  greeted(connection: Connection): void;
  /** Called once, also after `close`. */
  ended(connection: Connection, ending: Ending): void;
}

/** Longest line made of a close frame's reason. */
const CLOSE_CODE_BYTES = 2;

/** One WebSocket of the generator. Reading allocates only for frames that span reads. */
export class Connection implements Wire, FrameSink {
  /** Index among the members of the process; -1 for a connection that only publishes. */
  readonly member: number;
  /** Whether the first request, the hello, is confirmed. */
  greeted = false;
  tail: Buffer | undefined;
  readonly #to: Destination;
  readonly #token: string | undefined;
  readonly #events: ConnectionEvents;
  readonly #socket: Socket;
  readonly #reader: FrameReader;
  #head: Buffer | undefined = Buffer.alloc(0);
  #ended = false;

  constructor(index: number, member: number, to: Destination, events: ConnectionEvents) {
    const localAddress = to.localAddress(index);
    this.member = member;
    this.#to = to;
    this.#token = to.token(index);
    this.#events = events;
    this.#reader = new FrameReader(this);
    const options: TcpNetConnectOpts = {
      host: to.address,
      port: to.port,
      ...(localAddress === undefined ? {} : { localAddress }),
      onread: {
        buffer: to.readBuffer,
        callback: (length, bytes) => this.#read(bytes, length),
      },
    };
    this.#socket =
      to.tlsName === undefined ? connect(options) : connectTls({ ...options, servername: to.tlsName });
    this.#socket.setNoDelay(true);
    this.#socket.on('error', (error: NodeJS.ErrnoException) => this.#failed(error));
    this.#socket.on('close', () => this.#end({ reason: 'the server closed the connection' }));
    this.#socket.write(to.handshake.request);
  }

  /** Bytes that are buffered because the server does not read. */
  get pendingBytes(): number {
    return this.#socket.writableLength;
  }

  write(frame: Uint8Array): void {
    if (!this.#ended) this.#socket.write(frame);
  }

  /**
   * Ends the connection with a reset. After an orderly end the system would block its port for a
   * minute, and a few runs with 10,000 connections would use up all ports.
   */
  close(ending: Ending): void {
    if (!this.#ended && !this.#socket.connecting && this.#to.tlsName === undefined) {
      this.#socket.resetAndDestroy();
    }
    this.#end(ending);
  }

  frame(opcode: number, final: boolean, bytes: Uint8Array, start: number, end: number): void {
    if (this.#ended) return;
    if (opcode === OPCODE.text || opcode === OPCODE.binary || opcode === OPCODE.continuation) {
      const { protocol } = this.#to;
      if (!protocol.stream && (!final || opcode === OPCODE.continuation)) {
        this.frameError('the server sent a message in fragments, which this program does not read');
      } else {
        protocol.receive(this, this.#events, bytes, start, end);
      }
    } else if (opcode === OPCODE.ping) {
      this.write(encodeClientFrame(OPCODE.pong, bytes.slice(start, end)));
    } else if (opcode === OPCODE.close) {
      this.#end({ reason: closeReason(bytes, start, end) });
    }
  }

  frameError(reason: string): void {
    this.#end({ reason });
  }

  #read(bytes: Uint8Array, length: number): boolean {
    if (this.#ended) return false;
    if (this.#head === undefined) {
      this.#events.readStarted();
      this.#reader.read(bytes, length);
    } else {
      this.#readHead(Buffer.concat([this.#head, bytes.subarray(0, length)]));
    }
    return true;
  }

  #readHead(head: Buffer): void {
    const answer = this.#to.handshake.read(head);
    switch (answer.kind) {
      case 'partial':
        this.#head = head;
        return;
      case 'busy':
        this.#end({ reason: 'the server is busy', retryAfterMs: answer.retryAfterMs });
        return;
      case 'refused':
        this.#end({ reason: answer.reason, code: 'REFUSED' });
        return;
      case 'upgraded': {
        this.#head = undefined;
        this.#events.readStarted();
        const hello = this.#to.protocol.hello(this.#token);
        if (hello !== undefined) this.write(hello);
        if (!this.#to.protocol.confirmsHello && this.#token === undefined) this.#events.greeted(this);
        this.#reader.read(head.subarray(answer.headBytes), head.length - answer.headBytes);
      }
    }
  }

  #failed(error: NodeJS.ErrnoException): void {
    const code = error.code ?? 'unknown';
    this.#end({ reason: `${code} (${error.message})`, code });
  }

  #end(ending: Ending): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#socket.destroy();
    this.#events.ended(this, ending);
  }
}

function closeReason(bytes: Uint8Array, start: number, end: number): string {
  if (end - start < CLOSE_CODE_BYTES) return 'the server closed the connection without a code';
  const code = (bytes[start] ?? 0) * 256 + (bytes[start + 1] ?? 0);
  const text = Buffer.from(bytes.subarray(start + CLOSE_CODE_BYTES, end)).toString();
  return `the server closed the connection with ${code} ${text}`.trimEnd();
}
