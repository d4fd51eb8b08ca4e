import { createSecureContext } from 'node:tls';
import { completeLinkOptions, LINK_DEFAULTS, type LinkOptions } from '@groupcast/link';
import {
  limits,
  OPTION_BYTES_MAX,
  OptionError,
  type OptionRanges,
  type ReconnectBounds,
  resolveOptions,
  TIMER_MS_MAX,
} from '@groupcast/protocol';
import { isShortText } from './publishing/publish-frame.ts';

/** TLS of a link to the hub, as PEM texts. */
export interface HubClientTls {
  /** Certificates that the hub's must be signed by. Default: those of the public authorities. */
  readonly ca?: string;
  /** This peer's own certificate and key, for a hub that asks for one. */
  readonly cert?: string;
  readonly key?: string;
}

export interface HubClientOptions {
  /** Default 127.0.0.1. */
  readonly host: string;
  /** Default 2206. */
  readonly port: number;
  /** Unix socket of a hub on this host, in place of host and port. Default '': there is none. */
  readonly path: string;
  /** Shared with the hub, or '' (the default) where the hub has none. Connections to a hub that fails the proof are closed. */
  readonly secret: string;
  /** Makes the link TLS; `{}` for a hub with a public certificate. Default undefined: it is plain TCP. */
  readonly tls: HubClientTls | undefined;
  /** What the hub calls this peer in its logs and status, at most 255 bytes. Default ''. */
  readonly name: string;
  /** For connecting and the handshake together, in milliseconds. Default 5,000. */
  readonly connectMs: number;
  /** After this a publish has an unknown outcome, and a read of history has failed, in milliseconds. Default 10,000. */
  readonly publishMs: number;
  /**
   * Publishes that wait for a hub that is away, or does not keep up, in bytes; more are refused. One that is longer
   * by itself is sent when less waits. Default 8 MiB.
   */
  readonly bufferBytesMax: number;
  /** Publishes that wait for the hub's answer; more are refused. Default 100,000. */
  readonly unansweredMax: number;
  /** How long a publish waits for the hub to come back, in milliseconds. Default 10,000. */
  readonly bufferMs: number;
  /** Reads of history that the hub has not answered; the others wait for their turn. Default 16. */
  readonly historyInFlightMax: number;
  /** Who waits for a read of history; more are refused. Default 100,000. */
  readonly historyWaitingMax: number;
  /** Within this time each position is compared with the hub's, in milliseconds; Infinity is never. Default 30,000. */
  readonly positionCheckMs: number;
  /** The wait before connecting again. Default 100 to 2,000 ms: a hub that is back is found within 2 s. */
  readonly reconnect: ReconnectBounds;
  /**
   * Bounds of the link. Of `frameBytesMax` the link takes what the hub says that it takes, or 10 MiB where that is more;
   * a hub that says more than `frameBytesMax` is left. Default 128 MiB, which no hub goes above.
   */
  readonly link: LinkOptions;
}

export const HUB_CLIENT_DEFAULTS: HubClientOptions = {
  host: '127.0.0.1',
  port: 2206,
  path: '',
  secret: '',
  tls: undefined,
  name: '',
  connectMs: 5_000,
  publishMs: 10_000,
  bufferBytesMax: 8 * 1024 * 1024,
  unansweredMax: 100_000,
  bufferMs: 10_000,
  historyInFlightMax: 16,
  historyWaitingMax: 100_000,
  positionCheckMs: 30_000,
  reconnect: { minMs: 100, maxMs: 2_000 },
  link: { ...LINK_DEFAULTS, frameBytesMax: limits.FRAME_BYTES_CEILING },
};

/** Options as they are given: none is needed, and of `link` any may be. */
export type HubClientOptionsInput = Partial<Omit<HubClientOptions, 'link'>> & {
  readonly link?: Partial<LinkOptions>;
};

const TIME = { min: 1, max: TIMER_MS_MAX, unit: 'milliseconds' } as const;

export const HUB_CLIENT_RANGES: OptionRanges<HubClientOptions> = {
  port: { min: 1, max: 65_535, unit: 'TCP port' },
  connectMs: TIME,
  publishMs: TIME,
  bufferBytesMax: { min: 0, max: OPTION_BYTES_MAX, unit: 'bytes' },
  unansweredMax: { min: 1, max: 10_000_000, unit: 'publishes' },
  bufferMs: TIME,
  historyInFlightMax: { min: 1, max: 10_000, unit: 'reads' },
  historyWaitingMax: { min: 1, max: 10_000_000, unit: 'reads' },
  positionCheckMs: { ...TIME, isEndless: true },
};

export const RECONNECT_RANGES: OptionRanges<ReconnectBounds> = {
  minMs: { ...TIME, min: 0 },
  maxMs: { ...TIME, min: 0 },
};

const OWNER = 'HubClient';

/** Fills in the defaults. Throws OptionError `bad_option` for options that a client cannot run with. */
export function completeOptions({ link, reconnect, ...input }: HubClientOptionsInput): HubClientOptions {
  const { reconnect: bounds } = HUB_CLIENT_DEFAULTS;
  const frameBytesMax = link?.frameBytesMax ?? HUB_CLIENT_DEFAULTS.link.frameBytesMax;
  const defaults: HubClientOptions = {
    ...HUB_CLIENT_DEFAULTS,
    link: completeLinkOptions({ ...link, frameBytesMax }, OWNER, 'link.'),
    reconnect: resolveOptions(OWNER, bounds, RECONNECT_RANGES, reconnect ?? {}, 'reconnect.'),
  };
  const options = resolveOptions(OWNER, defaults, HUB_CLIENT_RANGES, input);
  checkOptions(options, input);
  return options;
}

/** Checks what is no number, and options against each other. Throws OptionError `bad_option`. */
function checkOptions(options: HubClientOptions, given: HubClientOptionsInput): void {
  const { host, path, name, tls, reconnect } = options;
  const refuse = (option: string, problem: string): never => {
    throw new OptionError(OWNER, option, problem);
  };
  if (host === '') refuse('host', 'is empty. Give the address of the hub');
  if (path !== '' && (given.host !== undefined || given.port !== undefined)) {
    refuse('path', 'is given beside host or port. Give the one or the others: a client has one hub');
  }
  if (!isShortText(name))
    refuse('name', `is too long. Give at most ${limits.SHORT_TEXT_BYTES_MAX} bytes of UTF-8`);
  if (tls !== undefined && (typeof tls !== 'object' || tls === null)) {
    refuse('tls', 'is no object. Give { ca, cert, key } as PEM texts, all of them optional');
  }
  if (tls !== undefined && (tls.cert === undefined) !== (tls.key === undefined)) {
    refuse('tls', 'has one of cert and key. Give both as PEM texts, or neither');
  }
  if (tls !== undefined) checkTls(tls);
  if (reconnect.minMs > reconnect.maxMs) {
    refuse('reconnect.minMs', `is ${reconnect.minMs}, which is above maxMs. Give at most ${reconnect.maxMs}`);
  }
}

/** Node reads certificates and keys when it connects, which is too late to tell the caller. */
function checkTls(tls: HubClientTls): void {
  try {
    createSecureContext(tls);
  } catch (cause) {
    throw new OptionError(
      OWNER,
      'tls',
      'cannot be used. Give ca, cert and key as PEM texts, and the key of that cert',
      {
        cause,
      },
    );
  }
}
