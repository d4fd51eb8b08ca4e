import { ProtocolError } from '@groupcast/protocol';

/** Returns the error of a request that needs a capability which the hub did not announce. */
export function unsupported(): ProtocolError {
  return new ProtocolError(
    'unsupported',
    'The hub does not know ephemeral or keyed publications. Update the hub, or publish without them.',
  );
}
