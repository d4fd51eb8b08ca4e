/** What became of PHP peers' data that could not go their way as they were. Counted since the start. */
export interface PhpCounts {
  /** Values within data that JSON could not say, and that others got as null or with U+FFFD. */
  lossy: number;
  /** Deliveries that would have been longer than a frame, and were not made. */
  tooLong: number;
  /** `publishLoop` to a channel that no PHP peer follows. */
  unheard: number;
}

export function noPhpCounts(): PhpCounts {
  return { lossy: 0, tooLong: 0, unheard: 0 };
}
