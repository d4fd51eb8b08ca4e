import type { ErrorCode } from '@groupcast/protocol';
import type { CommandId, Operation } from '@groupcast/protocol/schema';
import type { Counters } from '../admin/gateway-stats.ts';
import { errorEvent } from '../client-protocols/client-events.ts';
import type { Member } from './member.ts';

/**
 * Replies to a command with an error, and counts it. `sentence` is that of the code by default. An
 * error `forbidden` has the operation.
 */
export function rejectCommand(
  counters: Counters,
  member: Member,
  id: CommandId | undefined,
  code: ErrorCode,
  sentence?: string,
  operation?: Operation,
): void {
  counters.rejected[code] += 1;
  member.sendEvent(errorEvent(code, id, sentence, operation));
}
