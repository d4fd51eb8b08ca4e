import { writeFileSync } from 'node:fs';
import type { Happening, HistoryEvent } from './history-event.ts';

/** Milliseconds of the clock that all processes of this machine share. */
export function clockMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/**
 * All events of one run, in order. It only grows: memory limits a run to about 5,000,000 events.
 */
export class HistoryLog {
  readonly #events: HistoryEvent[] = [];
  #faults = 0;

  get events(): readonly HistoryEvent[] {
    return this.#events;
  }

  /** Adds an event that happens now, and returns its time. */
  add(happening: Happening): number {
    const at = clockMs();
    this.#events.push({ at, ...happening });
    return at;
  }

  /** Adds a fault, and returns a function that adds its proof. */
  addFault(name: string): (detail: string) => void {
    this.#faults += 1;
    const number = this.#faults;
    this.add({ type: 'fault', number, name });
    return (detail) => this.add({ type: 'proof', number, detail });
  }

  /** Writes one event per line, as JSON. */
  save(file: string): void {
    writeFileSync(file, this.#events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  }
}
