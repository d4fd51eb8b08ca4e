export {
  HubClient,
  type HubClientEvents,
  type HubClientState,
  type HubClientStats,
} from './hub-client.ts';
export type { Subscriber } from './interests.ts';
export { HUB_CLIENT_DEFAULTS, type HubClientOptions, type HubClientTls } from './options.ts';
export type { PublishAnswer } from './outbox.ts';
export type { PublishOptions } from './publish-frame.ts';
