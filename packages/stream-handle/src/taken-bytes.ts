import type { Socket } from 'node:net';

/** Counters of a handle. */
interface HandleCounts {
  /** Bytes passed to libuv, including pending ones. */
  readonly bytesWritten: number;
  /** Bytes pending in libuv. */
  readonly writeQueueSize: number;
}

/**
 * Returns the bytes that the kernel has accepted of all that was written to a socket, also within a
 * long write, where streams count whole writes. Undefined for a closed socket.
 */
export function takenBytesOf(socket: Socket): number | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  return isCounting(handle) ? handle.bytesWritten - handle.writeQueueSize : undefined;
}

function isCounting(handle: unknown): handle is HandleCounts {
  if (typeof handle !== 'object' || handle === null) return false;
  const { bytesWritten, writeQueueSize }: Partial<HandleCounts> = handle;
  return typeof bytesWritten === 'number' && typeof writeQueueSize === 'number';
}
