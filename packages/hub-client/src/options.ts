import { createSecureContext } from 'node:tls';
import { completeLinkOptions, LINK_TABLE, type LinkOptions } from '@groupcast/link';
import {
  defaultsOf,
  integerOption,
  OPTION_BYTES_MAX,
  type OptionsOf,
  resolveOptions,
  TIMER_MS_MAX,
  textOption,
  unixPathFault,
  valueOption,
} from '@groupcast/options';
import { limits, OptionError, type ReconnectBounds } from '@groupcast/protocol';
import { isShortText } from './publishing/publish-frame.ts';

/** TLS of a link to the hub, as PEM texts. */
export interface HubClientTls {
  /** Certificates that the hub's must be signed by. Default: those of the public authorities. */
  readonly ca?: string;
  /** This peer's own certificate and key, for a hub that asks for one. */
  readonly cert?: string;
  readonly key?: string;
}

const TIME = { min: 1, max: TIMER_MS_MAX, unit: 'milliseconds' } as const;

/** Options of a client, but for those of its link and of its reconnects. */
export const HUB_CLIENT_TABLE = {
  /** Address of the hub. Default 127.0.0.1. */
  host: textOption({ default: '127.0.0.1' }),
  /** TCP port of the hub. Default 2206. */
  port: integerOption({ default: 2206, min: 1, max: 65_535, unit: 'TCP port' }),
  /** Unix socket of a hub on this host, in place of host and port. Default '': none. */
  path: textOption({ default: '', check: unixPathFault }),
  /**
   * Secret that is shared with the hub; connections to a hub that fails the proof are closed.
   * Default '', where the hub has none.
   */
  secret: textOption({ default: '' }),
  /** Makes the link TLS; `{}` for a hub with a public certificate. Default undefined: plain TCP. */
  tls: valueOption<HubClientTls | undefined>({ default: undefined }),
  /** Name of this peer in the logs and the status of the hub, at most 255 bytes. Default ''. */
  name: textOption({ default: '' }),
  /** Time for connecting and the handshake together, in milliseconds. Default 5,000. */
  connectMs: integerOption({ ...TIME, default: 5_000 }),
  /**
   * Time for the answer to a publish or a history read, in milliseconds; then the outcome of the
   * publish is unknown, and the read has failed. Default 10,000.
   */
  publishMs: integerOption({ ...TIME, default: 10_000 }),
  /**
   * Bytes of publishes that wait while the hub is disconnected or slow; more are rejected. A
   * publish that is longer by itself is sent when nothing else waits. Default 8 MiB.
   */
  bufferBytesMax: integerOption({ default: 8 * 1024 * 1024, min: 0, max: OPTION_BYTES_MAX, unit: 'bytes' }),
  /** Publishes that wait for the hub's answer; more are rejected. Default 100,000. */
  unansweredMax: integerOption({ default: 100_000, min: 1, max: 10_000_000, unit: 'publishes' }),
  /** Time that a publish waits for a disconnected hub, in milliseconds. Default 10,000. */
  bufferMs: integerOption({ ...TIME, default: 10_000 }),
  /** History reads that are sent and not answered; the others wait for their turn. Default 16. */
  historyInFlightMax: integerOption({ default: 16, min: 1, max: 10_000, unit: 'reads' }),
  /** Callers that wait for a history read; more are rejected. Default 100,000. */
  historyWaitingMax: integerOption({ default: 100_000, min: 1, max: 10_000_000, unit: 'reads' }),
  /**
   * Interval at which positions are compared with the hub's, in milliseconds; Infinity is never.
   * Default 30,000.
   */
  positionCheckMs: integerOption({ ...TIME, default: 30_000, isEndless: true }),
};

export const RECONNECT_TABLE = {
  /** Upper bound of the first wait, in milliseconds. Default 100. */
  minMs: integerOption({ ...TIME, default: 100, min: 0 }),
  /**
   * Upper bound of every wait, in milliseconds. Default 2,000: a hub that is back is found within 2
   * s.
   */
  maxMs: integerOption({ ...TIME, default: 2_000, min: 0 }),
};

export interface HubClientOptions extends OptionsOf<typeof HUB_CLIENT_TABLE> {
  /** Wait before the next attempt to connect. */
  readonly reconnect: ReconnectBounds;
  /**
   * Limits of the link. Of `frameBytesMax` the link uses the hub's own limit, or 10 MiB where that
   * is more; a hub whose limit exceeds `frameBytesMax` is disconnected. Default 128 MiB, which no
   * hub exceeds.
   */
  readonly link: LinkOptions;
}

export const HUB_CLIENT_DEFAULTS: HubClientOptions = {
  ...defaultsOf(HUB_CLIENT_TABLE),
  reconnect: defaultsOf(RECONNECT_TABLE),
  link: { ...defaultsOf(LINK_TABLE), frameBytesMax: limits.FRAME_BYTES_CEILING },
};

/** Options as they are given: all are optional, those of `link` and `reconnect` included. */
export type HubClientOptionsInput = Partial<Omit<HubClientOptions, 'link'>> & {
  readonly link?: Partial<LinkOptions>;
};

const OWNER = 'HubClient';

/**
 * Fills in the defaults. Throws OptionError `bad_option` for options that a client cannot run with.
 */
export function completeOptions({ link, reconnect, ...input }: HubClientOptionsInput): HubClientOptions {
  const { frameBytesMax = HUB_CLIENT_DEFAULTS.link.frameBytesMax } = link ?? {};
  const options: HubClientOptions = {
    ...resolveOptions(OWNER, HUB_CLIENT_TABLE, input),
    link: completeLinkOptions({ ...link, frameBytesMax }, OWNER, 'link.'),
    reconnect: resolveOptions(OWNER, RECONNECT_TABLE, reconnect ?? {}, 'reconnect.'),
  };
  checkOptions(options, input);
  return options;
}

/** Checks what is no number, and options against each other. Throws OptionError `bad_option`. */
function checkOptions(options: HubClientOptions, given: HubClientOptionsInput): void {
  const { host, path, name, tls, reconnect } = options;
  const reject = (option: string, problem: string): never => {
    throw new OptionError(OWNER, option, problem);
  };
  if (host === '') reject('host', 'is empty. Give the address of the hub');
  if (path !== '' && (given.host !== undefined || given.port !== undefined)) {
    reject('path', 'is given beside host or port. Give the one or the others: a client has one hub');
  }
  if (!isShortText(name))
    reject('name', `is too long. Give at most ${limits.SHORT_TEXT_BYTES_MAX} bytes of UTF-8`);
  if (tls !== undefined && (typeof tls !== 'object' || tls === null)) {
    reject('tls', 'is no object. Give { ca, cert, key } as PEM texts, all of them optional');
  }
  if (tls !== undefined && (tls.cert === undefined) !== (tls.key === undefined)) {
    reject('tls', 'has one of cert and key. Give both as PEM texts, or neither');
  }
  if (tls !== undefined) checkTls(tls);
  if (reconnect.minMs > reconnect.maxMs) {
    reject('reconnect.minMs', `is ${reconnect.minMs}, which is above maxMs. Give at most ${reconnect.maxMs}`);
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
