import type { Program } from '@groupcast/service';
import manifest from '../../package.json' with { type: 'json' };
import { startCommand } from '../app.ts';
import { checkGatewayConfig, GATEWAY_OPTIONS, type GatewayConfig } from '../config.ts';
import { checkTokenCommand } from './check-token.ts';
import { genTokenCommand } from './gen-token.ts';
import { prepareGateway } from './prepare.ts';
import { reloadCommand } from './reload.ts';
import { statusCommand } from './status.ts';
import { stopCommand } from './stop.ts';

export const program: Program<GatewayConfig> = {
  name: 'groupcast-gateway',
  version: manifest.version,
  summary: 'Holds WebSockets in many processes and joins their groups through a Groupcast hub.',
  envPrefix: 'GROUPCAST_GATEWAY',
  options: GATEWAY_OPTIONS,
  check: checkGatewayConfig,
  prepare: prepareGateway,
  commands: {
    start: startCommand,
    status: statusCommand,
    reload: reloadCommand,
    stop: stopCommand,
    'gen-token': genTokenCommand,
    'check-token': checkTokenCommand,
  },
};
