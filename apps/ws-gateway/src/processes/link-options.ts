import { HUB_CLIENT_DEFAULTS, type HubClientOptions } from '@groupcast/hub-client';

/** The link to the hub of a gateway that may take the fast paths, or may not. */
export function linkOptions(
  fastPaths: boolean = HUB_CLIENT_DEFAULTS.link.fastPaths,
): HubClientOptions['link'] {
  return { ...HUB_CLIENT_DEFAULTS.link, fastPaths };
}
