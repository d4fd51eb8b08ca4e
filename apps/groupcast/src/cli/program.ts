import { genCertsCommand } from '@groupcast/hub/gen-certs';
import { genSecretCommand } from '@groupcast/hub/gen-secret';
import type { Program } from '@groupcast/service';
import manifest from '../../package.json' with { type: 'json' };
import { publishCommand } from '../channel/publish.ts';
import { subscribeCommand } from '../channel/subscribe.ts';
import { devCommandOf } from '../dev/dev.ts';
import { checkDevConfig, DEV_OPTIONS, type DevConfig } from '../dev/options.ts';
import { doctorCommand } from '../doctor/doctor.ts';

/** Defines the program. `entry` is its main file. */
export function programOf(entry: string): Program<DevConfig> {
  return {
    name: 'groupcast',
    version: manifest.version,
    summary: 'Groupcast on one machine. "groupcast hub", "gateway" and "loadtest" are programs of their own.',
    envPrefix: 'GROUPCAST_DEV',
    options: DEV_OPTIONS,
    check: checkDevConfig,
    commands: {
      dev: devCommandOf(entry),
      publish: publishCommand,
      subscribe: subscribeCommand,
      doctor: doctorCommand,
      cert: genCertsCommand,
      secret: genSecretCommand,
    },
  };
}
