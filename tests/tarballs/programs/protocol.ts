import { encodeFrame, FrameDecoder, native, ProtocolError, type ReceiveFrame } from '@groupcast/protocol';
import { reconnectsAfter } from '@groupcast/protocol/client';
import * as schema from '@groupcast/protocol/schema';

const take: ReceiveFrame = (_, start, end) => end > start;
const decoder = new FrameDecoder(1024);
console.log(
  encodeFrame(new Uint8Array(0)).length,
  typeof decoder,
  typeof take,
  Object.keys(native).length > 0,
);
try {
  schema.parseClientCommand('nonsense');
} catch (error) {
  if (!(error instanceof ProtocolError)) throw error;
  console.log(error.code);
}
console.log(reconnectsAfter(1012));
