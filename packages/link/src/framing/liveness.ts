import { HEARTBEATS_MISSED_MAX, type LinkOptions } from './options.ts';

/** Part of the soft limit that a peer above it must accept within its time. */
const PACE_SHARE = 1 / 8;

/** State of a link at a tick. */
export interface LinkProgress {
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly framesReceived: number;
  /** Whether the first bytes of a frame have arrived, and the last have not. */
  readonly hasPartialFrame: boolean;
  /** Whether the socket is read. Otherwise the peer may well have sent something. */
  readonly isReading: boolean;
  /** Bytes that are buffered for the peer. */
  readonly bufferedBytes: number;
  /** Bytes that the peer's host has accepted so far. */
  readonly acceptedBytes: number;
}

/** Result of a tick: the reason to close the link, or that a heartbeat is due. */
export type LivenessVerdict = 'slow' | 'stalled' | 'silent' | 'heartbeat' | undefined;

/**
 * Time limits of a link. It counts ticks and not the time, so that a process that was suspended
 * does not blame its peers, and compares what has changed between ticks, which costs a frame
 * nothing.
 */
export class Liveness {
  readonly #options: LinkOptions;
  #heartbeatMs = Number.POSITIVE_INFINITY;
  #bytesReceived = 0;
  #bytesSent = 0;
  #framesReceived = 0;
  // Ticks since the last bytes were received and sent, since the current frame began, and since the
  // buffer is above its soft limit.
  #silentTicks = 0;
  #unsentTicks = 0;
  #frameTicks = 0;
  #softTicks = 0;
  /** Bytes that the peer had accepted when `softTicks` began. */
  #softAcceptedBytes = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  startHeartbeats(heartbeatMs: number): void {
    this.#heartbeatMs = heartbeatMs;
    this.#silentTicks = 0;
    this.#unsentTicks = 0;
  }

  tick(progress: LinkProgress): LivenessVerdict {
    this.#count(progress);
    const { tickMs, frameMs, bufferSoftMs } = this.#options;
    if (this.#softTicks * tickMs >= bufferSoftMs) return 'slow';
    if (this.#frameTicks * tickMs > frameMs) return 'stalled';
    if (this.#silentTicks * tickMs > HEARTBEATS_MISSED_MAX * this.#heartbeatMs) return 'silent';
    return this.#unsentTicks * tickMs >= this.#heartbeatMs ? 'heartbeat' : undefined;
  }

  #count(progress: LinkProgress): void {
    const { bytesReceived, bytesSent, framesReceived, hasPartialFrame, isReading } = progress;
    const step = isReading ? 1 : 0;
    if (bytesReceived !== this.#bytesReceived) this.#silentTicks = 0;
    if (bytesSent !== this.#bytesSent) this.#unsentTicks = 0;
    if (framesReceived !== this.#framesReceived || !hasPartialFrame) this.#frameTicks = 0;
    this.#bytesReceived = bytesReceived;
    this.#bytesSent = bytesSent;
    this.#framesReceived = framesReceived;
    this.#silentTicks += step;
    this.#unsentTicks += 1;
    if (hasPartialFrame) this.#frameTicks += step;
    this.#checkPace(progress);
  }

  /** Counts ticks in which the buffer is above the soft limit and the peer accepts little of it. */
  #checkPace({ bufferedBytes, acceptedBytes }: LinkProgress): void {
    const { bufferBytesSoft } = this.#options;
    const acceptedSince = acceptedBytes - this.#softAcceptedBytes;
    const keepsUp = bufferedBytes <= bufferBytesSoft || acceptedSince >= bufferBytesSoft * PACE_SHARE;
    this.#softTicks = keepsUp ? 0 : this.#softTicks + 1;
    if (keepsUp) this.#softAcceptedBytes = acceptedBytes;
  }
}
