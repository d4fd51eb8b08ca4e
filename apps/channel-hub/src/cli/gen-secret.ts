import { randomBytes } from 'node:crypto';
import type { Command } from '@groupcast/service';

/** Length of the key of the HMAC, in bytes. */
const SECRET_BYTES = 32;

export const genSecretCommand: Command<object> = {
  summary: 'Print a new random secret for --secret-file of a hub and its gateways.',
  uses: [],
  run: (_config, context) => {
    context.print(randomBytes(SECRET_BYTES).toString('base64url'));
    return 0;
  },
};
