import { LatencyRecorder } from './latency-recorder.ts';

const MICROS_PER_SECOND = 1_000_000;

/** Longer runs keep counting, but their last seconds share one slot. */
const SECONDS_MAX = 86_400;

/**
 * The measured time: deliveries count by their arrival, latencies by the sending of the message.
 */
export class MeasuredWindow {
  readonly latencies = new LatencyRecorder();
  readonly #perSecond: number[] = [];
  #startUs = Number.POSITIVE_INFINITY;
  #endUs = Number.POSITIVE_INFINITY;
  #messages = 0;
  #lastDeliveryUs = 0;

  /** Messages sent in the window. */
  get messages(): number {
    return this.#messages;
  }

  /** Deliveries in each second of the window. */
  get perSecond(): readonly number[] {
    return this.#perSecond;
  }

  /** Time of the last delivery, in the window or after it. */
  get lastDeliveryUs(): number {
    return this.#lastDeliveryUs;
  }

  begin(startUs: number, endUs: number): void {
    this.#startUs = startUs;
    this.#endUs = endUs;
  }

  /** Ends the window at that time, if it would not end earlier. */
  end(atUs: number): void {
    this.#endUs = Math.min(this.#endUs, atUs);
  }

  sent(sentUs: number): void {
    if (sentUs >= this.#startUs && sentUs < this.#endUs) this.#messages++;
  }

  delivered(sentUs: number, nowUs: number): void {
    this.#lastDeliveryUs = nowUs;
    if (sentUs >= this.#startUs && sentUs < this.#endUs) this.latencies.record(nowUs - sentUs);
    if (nowUs < this.#startUs || nowUs >= this.#endUs) return;
    const second = Math.min(Math.floor((nowUs - this.#startUs) / MICROS_PER_SECOND), SECONDS_MAX);
    while (this.#perSecond.length <= second) this.#perSecond.push(0);
    this.#perSecond[second] = (this.#perSecond[second] ?? 0) + 1;
  }
}
