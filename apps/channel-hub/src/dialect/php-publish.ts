import { channelOfGroup, type php } from '@groupcast/protocol';
import { readGroupMessage } from './php-bridge.ts';
import { type PhpPayload, payloadOf } from './php-payload.ts';

/** One publication that a PHP peer asks for. */
export interface PhpPublish extends PhpPayload {
  /** As the peer calls it. */
  readonly event: string;
  readonly channel: string;
}

/**
 * What a request to publish means to others: a bridged event whose data are a message to a group is that message, any other event is the data. Each form of the
 * data is made once, whatever the number of events. Throws ProtocolError for what is no PHP value.
 */
export function readPublish(
  events: readonly string[],
  bytes: Uint8Array,
  span: php.PhpSpan,
  bridgedEvents: ReadonlySet<string>,
): readonly PhpPublish[] {
  const isBridged = events.some((event) => bridgedEvents.has(event));
  const groupMessage = isBridged ? readGroupMessage(bytes, span) : undefined;
  const toGroup = groupMessage && {
    channel: channelOfGroup(groupMessage.group),
    ...payloadOf(bytes, groupMessage.message),
  };
  let plain: PhpPayload | undefined;
  return events.map((event) => {
    if (toGroup !== undefined && bridgedEvents.has(event)) return { event, ...toGroup };
    plain ??= payloadOf(bytes, span);
    return { event, channel: event, ...plain };
  });
}
