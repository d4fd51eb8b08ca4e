export type { HistoryAnswer, HistoryPage } from './history-page.ts';
export {
  HubClient,
  type HubClientEvents,
  type HubClientState,
  type HubClientStats,
} from './hub-client.ts';
export type { LossReason, Subscriber } from './interest.ts';
export { HUB_CLIENT_DEFAULTS, type HubClientOptions, type HubClientTls } from './options.ts';
export type { PublishAnswer } from './outbox.ts';
export type { PublishOptions } from './publish-frame.ts';
