import type { native } from '@groupcast/protocol';

export {
  type Ban,
  type BanDetails,
  type BanTarget,
  OptionError,
  type Position,
  ProtocolError,
  parseBan,
} from '@groupcast/protocol';
export type { BanOptions } from './bans/ban-publication.ts';
export type { HistoryAnswer, HistoryFrom, HistoryPage, HistoryRead } from './history/history-page.ts';
export { HubClient } from './hub-client.ts';
export type { HubClientEvents, HubClientState, HubClientStats } from './hub-client-events.ts';
export type { KeyedValue } from './keyed/keyed-entries.ts';
export type { KeyedMap, KeyedMapEvents, KeyedSetOptions } from './keyed/keyed-map.ts';
export { openHubClient } from './open-hub-client.ts';
export {
  HUB_CLIENT_DEFAULTS,
  HUB_CLIENT_TABLE,
  type HubClientOptions,
  type HubClientOptionsInput,
  type HubClientTls,
  RECONNECT_TABLE,
} from './options.ts';
export type { PublishAnswer } from './publishing/outbox.ts';
export type { KeyedOptions, PublishOptions, UserMessageOptions } from './publishing/publish-frame.ts';
export type { QueueItem, QueueWatcher } from './queues/queue-watches.ts';
export type { LossReason, Subscriber, Subscription } from './subscriptions/channel-subscription.ts';

// Arguments of callbacks.
export type Publication = native.Publication;
export type Subject = native.Subject;
