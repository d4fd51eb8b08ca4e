import type { Socket } from 'node:net';
import { getSystemErrorName } from 'node:util';

// The only file that knows Node's own `stream_wrap` and `tcp_wrap`: what is below a socket's stream.
//
// To write through a stream costs an allocation or two, a callback and a tick each time; here a write that the kernel takes at once, as
// nearly all do, is one call and leaves nothing behind. It is safe because
// - it is used only while nothing waits in the stream above (the caller looks), so that nothing is overtaken;
// - what the kernel does not take at once waits in libuv, in the same queue as what the stream writes later;
// - what fails is left to the stream, which fails in the same way and says so.
//
// To read through a stream costs 64 KiB that are allocated and given back each time; here all sockets are read into one buffer, as the
// `onread` option of `net.connect` does it, which sockets of a server do not have. The end of a connection, its errors, and all that comes
// when nobody wants it directly any more, go to the stream as if nobody had stood in between.
//
// Where Node has no such bindings any more, or a socket is of another kind (TLS), there is no handle and streams do the work.

/** What libuv holds while a write waits. Without a write that waits, one of them serves all sockets. */
interface WriteRequest {
  /** Keeps the bytes alive. */
  buffer?: Uint8Array;
  owner?: WriteOwner;
  oncomplete?: (this: WriteRequest, status: number) => void;
}

/** The end of a TCP connection as Node's streams see it. */
export interface TcpHandle {
  /** Answers 0, or the system's error number, below 0. */
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number;
  /** What is read goes into this buffer from now on. */
  useUserBuffer(buffer: Uint8Array): void;
  /** Called when something was read, with what it was read into unless that is the user's buffer. */
  onread: OnRead;
}

type OnRead = (this: TcpHandle, bytes: ArrayBuffer | undefined) => unknown;

interface StreamBinding {
  readonly WriteWrap: new () => WriteRequest;
  /** How the last call went. */
  readonly streamBaseState: Int32Array;
  readonly kLastWriteWasAsync: number;
  readonly kReadBytesOrError: number;
  readonly kArrayBufferOffset: number;
}

interface TcpBinding {
  readonly TCP: new () => TcpHandle;
}

/** Who is told when a write that had to wait is over. */
export interface WriteOwner {
  written(bytes: number, error: Error | undefined): void;
}

/** Who is given what was read. */
export interface ReadOwner {
  /**
   * Takes the first `length` bytes of a chunk, which are overwritten after the call, or says that they are for others. Whoever destroys the
   * socket in this call takes them: there is nobody else any more.
   */
  read(chunk: Buffer, length: number): boolean;
}

/** As much as Node's streams read at once. */
const READ_BYTES = 64 * 1024;

/** Where a handle keeps who reads it. */
const OWNER = Symbol('owner');

/** What a handle counts. */
interface HandleCounts {
  /** Bytes that were given to libuv, those that wait there among them. */
  readonly bytesWritten: number;
  /** Bytes that wait in libuv. */
  readonly writeQueueSize: number;
}

interface OwnedHandle extends TcpHandle {
  [OWNER]?: ReadOwner | undefined;
}

const stream = bindingOf('stream_wrap', isStreamBinding);
const tcp = bindingOf('tcp_wrap', isTcpBinding);
let spare = stream && new stream.WriteWrap();
const readBuffer = stream && Buffer.allocUnsafeSlow(READ_BYTES);
/** Node's own; the same for all sockets. */
let readStream: OnRead | undefined;

/** The handle of a connected socket, for `writeDirectly`; undefined where streams must do the work. */
export function handleOf(socket: Socket): TcpHandle | undefined {
  if (stream === undefined || tcp === undefined) return undefined;
  const handle: unknown = Reflect.get(socket, '_handle');
  return handle instanceof tcp.TCP ? handle : undefined;
}

/**
 * Writes to the handle of a socket in whose stream nothing waits. `done`: the kernel has it. `waiting`: the owner is told when it does, and
 * nothing may be written here until then. `failed`: nothing was written, because the socket is closed or about to be.
 */
export function writeDirectly(
  handle: TcpHandle,
  bytes: Uint8Array,
  owner: WriteOwner,
): 'done' | 'waiting' | 'failed' {
  if (stream === undefined || spare === undefined) return 'failed';
  if (handle.writeBuffer(spare, bytes) !== 0) {
    // It may have been used.
    spare = new stream.WriteWrap();
    return 'failed';
  }
  if (stream.streamBaseState[stream.kLastWriteWasAsync] === 0) return 'done';
  spare.buffer = bytes;
  spare.owner = owner;
  spare.oncomplete = completed;
  spare = new stream.WriteWrap();
  return 'waiting';
}

/**
 * Bytes that the kernel has taken of all that was written to a socket, in the middle of a long write too, where streams count whole
 * writes. Undefined where Node does not say, as for a socket that is closed.
 */
export function takenBytesOf(socket: Socket): number | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  return isCounting(handle) ? handle.bytesWritten - handle.writeQueueSize : undefined;
}

/** Lets the owner have what is read from a handle from now on; without an owner the stream has it, as it always had. */
export function readDirectly(handle: TcpHandle, owner: ReadOwner | undefined): void {
  if (readBuffer === undefined) return;
  (handle as OwnedHandle)[OWNER] = owner;
  if (handle.onread === read || owner === undefined) return;
  readStream ??= handle.onread;
  handle.useUserBuffer(readBuffer);
  handle.onread = read;
}

function read(this: OwnedHandle): unknown {
  if (stream === undefined || readBuffer === undefined) return undefined;
  const length = stream.streamBaseState[stream.kReadBytesOrError] ?? 0;
  if (length <= 0) return readStream?.call(this, undefined);
  if (this[OWNER]?.read(readBuffer, length)) return undefined;
  const bytes = new ArrayBuffer(length);
  new Uint8Array(bytes).set(readBuffer.subarray(0, length));
  stream.streamBaseState[stream.kArrayBufferOffset] = 0;
  return readStream?.call(this, bytes);
}

function completed(this: WriteRequest, status: number): void {
  this.owner?.written(this.buffer?.length ?? 0, status < 0 ? writeError(status) : undefined);
}

/** As the stream would tell of it. */
function writeError(errno: number): Error {
  const code = getSystemErrorName(errno);
  return Object.assign(new Error(`write ${code}`), { code, errno, syscall: 'write' });
}

function bindingOf<T>(name: string, isWhole: (found: object) => found is T & object): T | undefined {
  const binding: unknown = Reflect.get(process, 'binding');
  if (typeof binding !== 'function') return undefined;
  try {
    const found: unknown = Reflect.apply(binding, process, [name]);
    return typeof found === 'object' && found !== null && isWhole(found) ? found : undefined;
  } catch {
    // A Node that has taken it away: streams do the work.
    return undefined;
  }
}

function isCounting(handle: unknown): handle is HandleCounts {
  if (typeof handle !== 'object' || handle === null) return false;
  const { bytesWritten, writeQueueSize }: Partial<HandleCounts> = handle;
  return typeof bytesWritten === 'number' && typeof writeQueueSize === 'number';
}

function isStreamBinding(found: Partial<StreamBinding>): found is StreamBinding {
  const { WriteWrap, streamBaseState, kLastWriteWasAsync, kReadBytesOrError, kArrayBufferOffset } = found;
  if (typeof WriteWrap !== 'function' || !(streamBaseState instanceof Int32Array)) return false;
  const places = [kLastWriteWasAsync, kReadBytesOrError, kArrayBufferOffset];
  return places.every((place) => typeof place === 'number' && place < streamBaseState.length);
}

function isTcpBinding(found: Partial<TcpBinding>): found is TcpBinding {
  const { TCP } = found;
  return (
    typeof TCP === 'function' &&
    ['writeBuffer', 'useUserBuffer', 'onread'].every((name) => name in TCP.prototype)
  );
}
