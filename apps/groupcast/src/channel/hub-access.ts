import { GATEWAY_OPTIONS } from '@groupcast/gateway/config';
import { prepareGateway } from '@groupcast/gateway/prepare';
import type { HubClientOptionsInput } from '@groupcast/hub-client';
import { defaultsOf, type OptionsOf } from '@groupcast/options';
import type { CertificateTimes } from '@groupcast/service';
import { findState } from '../dev/state.ts';

const { secretFile, hubTls, hubTlsCaFile, hubTlsCertFile, hubTlsKeyFile } = GATEWAY_OPTIONS;

/** Folder of the state of a development system, in the current folder. */
const STATE_FOLDER = '.groupcast';

/** Options of commands that connect to a hub, as those of a gateway. */
export const HUB_ACCESS_OPTIONS = {
  hub: {
    ...GATEWAY_OPTIONS.hub,
    default: '',
    describe: 'Address of the hub. Default: that of groupcast dev in this folder, or 127.0.0.1:2206.',
  },
  secretFile,
  hubTls,
  hubTlsCaFile,
  hubTlsCertFile,
  hubTlsKeyFile,
};

export type HubAccess = OptionsOf<typeof HUB_ACCESS_OPTIONS>;

/** Address of a hub, and what a client needs to connect. */
export interface PreparedAccess {
  /** Address as `--hub` has it. */
  readonly address: string;
  readonly client: HubClientOptionsInput;
  readonly certificates: readonly CertificateTimes[];
  readonly warnings: readonly string[];
}

/**
 * Reads the files that the options name, with the checks of a gateway. Throws ConfigError with
 * every problem.
 */
export function prepareAccess(access: HubAccess): PreparedAccess {
  const address = access.hub === '' ? hubOfState() : access.hub;
  const { settings, certificates, warnings } = prepareGateway({
    ...defaultsOf(GATEWAY_OPTIONS),
    ...hubAccessOf(access),
    hub: address,
  });
  const { hub, secret, hubTls: tls } = settings.worker;
  const client = { ...hub, secret, ...(tls === undefined ? {} : { tls }) };
  return { address, client, certificates, warnings };
}

function hubOfState(): string {
  const state = findState(STATE_FOLDER);
  return state === undefined ? GATEWAY_OPTIONS.hub.default : `127.0.0.1:${state.hubPort}`;
}

/** Returns the options of the access alone: a command may have others of the same names. */
function hubAccessOf(access: HubAccess): Omit<HubAccess, 'hub'> {
  const { secretFile, hubTls, hubTlsCaFile, hubTlsCertFile, hubTlsKeyFile } = access;
  return { secretFile, hubTls, hubTlsCaFile, hubTlsCertFile, hubTlsKeyFile };
}
