import type { Socket } from 'node:net';
import { getSystemErrorName } from 'node:util';

// The only file that uses Node's internal `stream_wrap` and `tcp_wrap`, which are below a socket's
// stream.
//
// A write through a stream costs one or two allocations, a callback and a tick. Here a write that
// the kernel accepts immediately, as nearly all are, is one call without an allocation. It is safe:
// - The caller uses it only while nothing is pending in the stream, so it overtakes nothing.
// - The rest of a write is pending in libuv, in the same queue as later writes of the stream.
// - A failed write is left to the stream, which fails in the same way and reports the error.
//
// A read through a stream allocates and releases 64 KiB. Here all sockets are read into one buffer,
// as with the `onread` option of `net.connect`, which server sockets do not have. The end of a
// connection, its errors, and bytes without an owner go to the stream as usual.
//
// Without these bindings, or with another kind of socket (TLS), there is no handle, and the caller
// uses the stream.

/** Request object of a write. While none is pending, all sockets share one. */
interface WriteRequest {
  /** Keeps the bytes alive. */
  buffer?: Uint8Array;
  owner?: WriteOwner;
  oncomplete?: (this: WriteRequest, status: number) => void;
}

/** TCP handle below a socket's stream. */
export interface TcpHandle {
  /** Returns 0, or the system's error number, below 0. */
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number;
  /** Reads into this buffer from now on. */
  useUserBuffer(buffer: Uint8Array): void;
  /** Called after a read, with its buffer unless that is the user's. */
  onread: OnRead;
}

type OnRead = (this: TcpHandle, bytes: ArrayBuffer | undefined) => unknown;

interface StreamBinding {
  readonly WriteWrap: new () => WriteRequest;
  /** Results of the last call. */
  readonly streamBaseState: Int32Array;
  readonly kLastWriteWasAsync: number;
  readonly kReadBytesOrError: number;
  readonly kArrayBufferOffset: number;
}

interface TcpBinding {
  readonly TCP: new () => TcpHandle;
}

/** Receiver of the result of a pending write. */
export interface WriteOwner {
  written(bytes: number, error: Error | undefined): void;
}

/** Receiver of bytes that were read. */
export interface ReadOwner {
  /**
   * Consumes the first `length` bytes of a chunk, which are overwritten after the call, or returns
   * false to leave them to the stream. An owner that destroys the socket must return true.
   */
  read(chunk: Buffer, length: number): boolean;
}

/** Size of one read of Node's streams, in bytes. */
const READ_BYTES = 64 * 1024;

/** Key of a handle's owner. */
const OWNER = Symbol('owner');

/** Counters of a handle. */
interface HandleCounts {
  /** Bytes passed to libuv, including pending ones. */
  readonly bytesWritten: number;
  /** Bytes pending in libuv. */
  readonly writeQueueSize: number;
}

interface OwnedHandle extends TcpHandle {
  [OWNER]?: ReadOwner | undefined;
}

const stream = bindingOf('stream_wrap', isStreamBinding);
const tcp = bindingOf('tcp_wrap', isTcpBinding);
let spare = stream && new stream.WriteWrap();
const readBuffer = stream && Buffer.allocUnsafeSlow(READ_BYTES);
/** Node's own reader, the same for all sockets. */
let readStream: OnRead | undefined;

/** Returns the handle of a connected socket; undefined where its stream must be used. */
export function handleOf(socket: Socket): TcpHandle | undefined {
  if (stream === undefined || tcp === undefined) return undefined;
  const handle: unknown = Reflect.get(socket, '_handle');
  return handle instanceof tcp.TCP ? handle : undefined;
}

/**
 * Writes to the handle of a socket in whose stream nothing is pending. Returns
 * - `done`: the kernel has accepted the bytes;
 * - `waiting`: the owner is called when it has; until then nothing may be written here;
 * - `failed`: nothing was written, because the socket is closed or about to be.
 */
export function writeDirectly(
  handle: TcpHandle,
  bytes: Uint8Array,
  owner: WriteOwner,
): 'done' | 'waiting' | 'failed' {
  if (stream === undefined || spare === undefined) return 'failed';
  if (handle.writeBuffer(spare, bytes) !== 0) {
    // The failed call may have used it.
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
 * Returns the bytes that the kernel has accepted of all that was written to a socket, also within a
 * long write, where streams count whole writes. Undefined for a closed socket.
 */
export function takenBytesOf(socket: Socket): number | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  return isCounting(handle) ? handle.bytesWritten - handle.writeQueueSize : undefined;
}

/** Delivers reads of a handle to the owner; without an owner, to the stream. */
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

/** Returns the error that the stream would emit. */
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
    // A version of Node without it: streams are used.
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
