// The front door: a hub that runs in another program, or in a test.

export type { LinkOptions } from '@groupcast/link';
export { OptionError, type Position } from '@groupcast/protocol';
export type { Namespace, NamespaceHistory } from '@groupcast/protocol/schema';
export type { Log } from '@groupcast/service';
export type { HubStats } from './admin/hub-stats.ts';
export type {
  Engine,
  EngineSink,
  EngineStats,
  HistoryBounds,
  HistoryBoundsOf,
  HistoryPage,
  HistoryQuery,
  HistorySlot,
  HistoryStats,
  KeyedStats,
  PublishSlot,
  SubscribeSlot,
} from './engine/engine.ts';
export { HISTORY_TABLE, type HistoryLimits } from './engine/memory/history-limits.ts';
export { KEYED_TABLE, type KeyedLimits } from './engine/memory/keyed-limits.ts';
export { MemoryEngine, type MemoryEngineOptions } from './engine/memory/memory-engine.ts';
export { createHub, type Hub, type SecretChange } from './hub.ts';
export { HubError, type HubErrorCode } from './hub-error.ts';
export type { UnixSocket } from './listen/unix-listener.ts';
export { HUB_TABLE, type HubOptions, type HubOptionsInput, type HubTls } from './options.ts';
export type { PeerEnd } from './peer/peer-end.ts';
export type { PeerRow } from './peer/peer-row.ts';
export { QUEUE_TABLE, type QueueLimits } from './queue/queue-limits.ts';
export type { QueueRow, QueueStats } from './queue/queue-stats.ts';
