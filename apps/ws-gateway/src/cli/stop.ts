import { setTimeout } from 'node:timers/promises';
import type { Command } from '@groupcast/service';
import type { GatewayConfig } from '../config.ts';
import { RunningGateway } from './running-gateway.ts';

const LOOK_MS = 200;

export const stopCommand: Command<GatewayConfig> = {
  summary: 'Make the gateway on this machine close its connections and exit; wait for it.',
  uses: ['adminHost', 'adminPort'],
  run: async (config, context) => {
    const { gateway, stats } = await RunningGateway.find(config);
    // A second signal would end it immediately.
    if (stats.state !== 'draining') gateway.signal('SIGTERM');
    while ((await gateway.stats()) !== undefined) await setTimeout(LOOK_MS);
    context.print('stopped');
    return 0;
  },
};
