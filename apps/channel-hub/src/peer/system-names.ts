import { isSystemChannel, limits, type native, ProtocolError } from '@groupcast/protocol';

const { GROUP_CHANNEL_PREFIX, SYSTEM_PREFIX } = limits;

/** Returns the error for the first channel that belongs to the system, if there is one. */
export function systemChannelError(channels: readonly string[]): ProtocolError | undefined {
  const channel = channels.find(isSystemChannel);
  if (channel === undefined) return undefined;
  const sentence = `The channel ${JSON.stringify(channel)} belongs to the system. Prove the secret of the hub, or use a name that does not begin with ${SYSTEM_PREFIX}.`;
  return new ProtocolError('forbidden', sentence);
}

/**
 * Returns the error for subjects of which a peer may not subscribe to one. Only a peer with
 * `mayUseSystemChannels` subscribes to channels of the system, and it names each of them.
 */
export function systemSubjectError(
  subjects: readonly native.Subject[],
  mayUseSystemChannels: boolean,
): ProtocolError | undefined {
  for (const { name, prefix } of subjects) {
    if (!isSystemChannel(name)) continue;
    if (prefix) return systemPrefixError(name);
    if (!mayUseSystemChannels) return systemChannelError([name]);
  }
  return undefined;
}

function systemPrefixError(prefix: string): ProtocolError {
  const sentence = `The prefix ${JSON.stringify(prefix)} is invalid: channels that begin with ${SYSTEM_PREFIX} or ${GROUP_CHANNEL_PREFIX}${SYSTEM_PREFIX} have no prefixes. Subscribe to each by its name.`;
  return new ProtocolError('forbidden', sentence);
}
