import type { Program } from '@groupcast/service';
import manifest from '../../package.json' with { type: 'json' };
import { startCommand } from '../app.ts';
import { checkHubConfig, HUB_OPTIONS, type HubConfig } from '../config.ts';
import { banCommand, unbanCommand } from './bans/ban.ts';
import { bansCommand } from './bans/list.ts';
import { genCertsCommand } from './gen-certs.ts';
import { genSecretCommand } from './gen-secret.ts';
import { prepareHub } from './prepare.ts';
import { statusCommand } from './status.ts';

export const program: Program<HubConfig> = {
  name: 'groupcast-hub',
  version: manifest.version,
  summary: 'Broadcasts between Groupcast gateways, and orders the messages of each group.',
  envPrefix: 'GROUPCAST_HUB',
  options: HUB_OPTIONS,
  check: checkHubConfig,
  prepare: prepareHub,
  commands: {
    start: startCommand,
    status: statusCommand,
    ban: banCommand,
    unban: unbanCommand,
    bans: bansCommand,
    'gen-secret': genSecretCommand,
    'gen-certs': genCertsCommand,
  },
};
