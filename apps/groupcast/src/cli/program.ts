import { genCertsCommand } from '@groupcast/hub/gen-certs';
import { genSecretCommand } from '@groupcast/hub/gen-secret';
import type { Program } from '@groupcast/service';
import manifest from '../../package.json' with { type: 'json' };
import { publishCommand } from '../channel/publish.ts';
import { subscribeCommand } from '../channel/subscribe.ts';
import { devCommandOf } from '../dev/dev.ts';
import { DEV_OPTIONS, type DevConfig } from '../dev/options.ts';
import { doctorCommand } from '../doctor/doctor.ts';

/** Defines the program. `entry` is its main file. */
export function programOf(entry: string): Program<DevConfig> {
  return {
    name: 'groupcast',
    version: manifest.version,
    summary:
      'Group messaging over WebSockets on this machine. "groupcast hub", "groupcast gateway" and ' +
      '"groupcast loadtest" are programs with commands of their own: add --help.',
    envPrefix: 'GROUPCAST_DEV',
    options: DEV_OPTIONS,
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
