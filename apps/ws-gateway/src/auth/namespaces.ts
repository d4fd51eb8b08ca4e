import { decodeText, limits, type ProtocolError } from '@groupcast/protocol';
import { NamespacesError, parseNamespaces } from '@groupcast/protocol/schema';
import { type Log, LogLimiter } from '@groupcast/service';
import type { HistoryRead, HubKeyedMap, HubPort } from '../groups/hub-port.ts';
import { AllNamespaceRules, NO_NAMESPACES } from './namespace-rules.ts';

export interface NamespacesDeps {
  readonly hub: Pick<HubPort, 'keyed' | 'readValues' | 'on' | 'off'>;
  readonly log: Log;
  /**
   * Whether permissions depend on namespaces. Otherwise the hub is asked at each connection to it
   * whether it has any, and there is no subscription if it has none.
   */
  readonly isRequired: boolean;
  /** Called when there are other rules. */
  changed(): void;
  /** Called once, when the first copy is complete. */
  loaded(): void;
}

/**
 * Copy of the namespaces of the hub. A lost link or an invalid list changes nothing: the last copy
 * holds until there is another one.
 */
export class Namespaces {
  readonly #deps: NamespacesDeps;
  readonly #logLimiter: LogLimiter;
  readonly #linked = (state: string): void => {
    if (state === 'open') this.#ask();
  };
  #question: HistoryRead | undefined;
  #copy: HubKeyedMap | undefined;
  #text = '';
  #rules = NO_NAMESPACES;
  /** Whether the list of the hub is one that this version can read. */
  #isValid = true;
  #isLoaded = false;

  constructor(deps: NamespacesDeps) {
    this.#deps = deps;
    const { hub, log } = deps;
    this.#logLimiter = new LogLimiter({
      report: (event, heldBack) => log.warn({ event, heldBack }, 'more problems with namespaces'),
    });
    if (deps.isRequired) this.#open();
    else {
      this.#ask();
      hub.on('state', this.#linked);
    }
  }

  get rules(): AllNamespaceRules {
    return this.#rules;
  }

  /** Whether the namespaces of the hub were all loaded once. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  close(): void {
    this.#deps.hub.off('state', this.#linked);
    this.#question?.cancel();
    this.#copy?.close();
    this.#logLimiter.close();
  }

  /** Asks whether the hub has namespaces: that needs no subscription, which would have a limit. */
  #ask(): void {
    this.#question?.cancel();
    if (this.#copy !== undefined) return;
    const answer = {
      page: ({ publications }: { readonly publications: readonly unknown[] }): void => {
        if (publications.length > 0) this.#open();
        else this.#loaded();
      },
      failed: ({ code }: ProtocolError): void => {
        // A hub that knows no keyed channels has none. After any other error the copy asks.
        if (code !== 'unsupported') this.#open();
      },
    };
    this.#question = this.#deps.hub.readValues(limits.CONFIG_CHANNEL, '', answer, this);
  }

  #open(): void {
    this.#copy = this.#deps.hub.keyed(limits.CONFIG_CHANNEL);
    this.#copy.on('change', (key, value) => {
      if (key === limits.NAMESPACES_KEY) this.#change(value === undefined ? '' : decodeText(value.payload));
    });
    this.#copy.on('ready', () => this.#check());
    this.#copy.on('failed', (error) => this.#failed(error));
  }

  #failed(error: ProtocolError): void {
    if (error.code === 'unsupported' && !this.#deps.isRequired) this.#leave();
    else this.#warn('load', { error }, 'namespaces cannot be loaded');
  }

  /** Closes the copy until the next connection to a hub. */
  #leave(): void {
    this.#copy?.close();
    this.#copy = undefined;
  }

  /** Notices that the copy is complete, or that there is no need for one. */
  #check(): void {
    if (this.#copy?.isReady !== true || !this.#isValid) return;
    this.#loaded();
    if (this.#text === '' && !this.#deps.isRequired) this.#leave();
  }

  #loaded(): void {
    if (this.#isLoaded) return;
    this.#isLoaded = true;
    this.#deps.loaded();
  }

  #change(text: string): void {
    if (text === this.#text) return;
    // A later hub may know more.
    try {
      const list = text === '' ? [] : parseNamespaces(text, { ignoreUnknown: true });
      this.#rules = list.length === 0 ? NO_NAMESPACES : new AllNamespaceRules(list);
      this.#text = text;
      this.#deps.log.info({ namespaces: list.length }, 'namespaces of the hub');
      this.#isValid = true;
    } catch (error) {
      if (!(error instanceof NamespacesError)) throw error;
      this.#isValid = false;
      this.#warn('invalid', { error }, 'invalid namespaces are ignored; the last ones stay');
      return;
    }
    this.#deps.changed();
    this.#check();
  }

  #warn(event: string, fields: object, message: string): void {
    if (this.#logLimiter.take(event)) this.#deps.log.warn(fields, message);
  }
}
