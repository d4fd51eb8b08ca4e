/** Counters, since the start, of PHP data that could not be delivered as they were. */
export interface PhpCounts {
  /** Values that JSON cannot represent: other peers got null, or U+FFFD in a string. */
  lossy: number;
  /** Deliveries dropped because they exceeded the limit of a frame. */
  tooLong: number;
  /** `publishLoop` to a channel without a PHP subscriber. */
  unheard: number;
  /** Messages to groups of the system, which only PHP peers got, as an event. */
  systemGroups: number;
}

export function noPhpCounts(): PhpCounts {
  return { lossy: 0, tooLong: 0, unheard: 0, systemGroups: 0 };
}
