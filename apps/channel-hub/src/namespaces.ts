import {
  encodeText,
  groupOfChannel,
  limits,
  native,
  type Position,
  type ProtocolError,
} from '@groupcast/protocol';
import { type Namespace, NamespacesError, NamespaceTable, parseNamespaces } from '@groupcast/protocol/schema';
import type { Engine, HistoryBounds, PublishSlot } from './engine/engine.ts';
import { HubError } from './hub-error.ts';

/** Number of the hub among the publishing peers, which begin at 1. */
const HUB = 0;

/** Namespaces of a hub: it bounds the history by them, and gives them to gateways. */
export class Namespaces {
  readonly #engine: Engine;
  #text = '';

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Replaces all namespaces once the engine has them as the value of a key, which gateways read.
   * Rejects with HubError `namespaces` if it does not accept that; then nothing has changed.
   */
  async change(list: readonly Namespace[]): Promise<void> {
    const text = JSON.stringify(list);
    if (text === this.#text) return;
    await this.#publish(text);
    this.#text = text;
    const bounds = new NamespaceTable(
      list.map(({ prefix, history = {} }) => ({ prefix, bounds: boundsOf(history) })),
    );
    this.#engine.boundHistory((channel) => {
      const group = groupOfChannel(channel);
      return group === undefined ? undefined : bounds.find(group)?.bounds;
    });
  }

  #publish(text: string): Promise<void> {
    const publication = {
      ...native.PUBLICATION_DEFAULTS,
      channel: limits.CONFIG_CHANNEL,
      kind: 'json',
      excludeSender: false,
      sender: '',
      messageId: '',
      keyed: { key: limits.NAMESPACES_KEY, lifeMs: 0 },
      payload: encodeText(text),
      number: 1,
    } as const;
    return new Promise((resolve, reject) => {
      const slot: PublishSlot = {
        publisher: HUB,
        published: (_request: number, _position: Position) => resolve(),
        publishRejected: (_request: number, error: ProtocolError) => reject(notPublished(error)),
      };
      this.#engine.publish(publication, native.encodePublish(publication), slot, publication.number);
    });
  }
}

/** Returns why a value is no list of namespaces; undefined for one that is. */
export function namespacesFault(list: unknown): string | undefined {
  try {
    parseNamespaces(JSON.stringify(list) ?? '');
    return undefined;
  } catch (error) {
    if (error instanceof NamespacesError) return `a list of namespaces: ${error.message.slice(0, -1)}`;
    throw error;
  }
}

function boundsOf({ count, seconds, bytes }: NonNullable<Namespace['history']>): HistoryBounds {
  return { countMax: count, ageMs: seconds === undefined ? undefined : seconds * 1_000, bytesMax: bytes };
}

function notPublished(cause: ProtocolError): HubError {
  return new HubError('namespaces', `The namespaces cannot be given to gateways: ${cause.message}`, {
    cause,
  });
}
