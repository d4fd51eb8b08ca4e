import { LruList } from './lru-list.ts';

/** What some publishers keep in history: those whose streams grew last by a publication of theirs. */
export class PublisherShare {
  /** Streams of the share that have publications. */
  readonly recency: LruList = new LruList();
  /** What they take, in bytes. */
  bytes = 0;
  /** Its place among the shares by their size. */
  bin = -1;
}
