import type { BinaryNode } from '@whiskeysockets/baileys';
import type { ReceivedMessage } from '../messages/received-message.js';
import type {
  DeviceContext,
  Feature,
  IqHandler,
  PhoneContext,
  RegistrationContext,
  StanzaHandler,
} from './feature.js';

/** The handlers of all features in one table. */
export class Registry {
  readonly #features: readonly Feature[];
  readonly #iqs = new Map<string, IqHandler>();
  readonly #registrationIqs = new Map<string, IqHandler<RegistrationContext>>();
  readonly #stanzas = new Map<string, StanzaHandler>();

  /** Throws when two features claim one key. */
  constructor(features: readonly Feature[]) {
    this.#features = features;
    for (const feature of features) {
      claim(this.#iqs, feature.iqs);
      claim(this.#registrationIqs, feature.registrationIqs);
      claim(this.#stanzas, feature.stanzas);
    }
  }

  iq(iq: BinaryNode): IqHandler | undefined {
    return lookUp(this.#iqs, `${iq.attrs.type}:${iq.attrs.xmlns}`, iq);
  }

  registrationIq(iq: BinaryNode): IqHandler<RegistrationContext> | undefined {
    return lookUp(this.#registrationIqs, `${iq.attrs.type}:${iq.attrs.xmlns}`, iq);
  }

  stanza(stanza: BinaryNode): StanzaHandler | undefined {
    return lookUp(this.#stanzas, stanza.tag, stanza);
  }

  async linked(context: DeviceContext): Promise<void> {
    for (const feature of this.#features) await feature.onLinked?.(context);
  }

  async phoneMessage(message: ReceivedMessage, context: PhoneContext): Promise<void> {
    for (const feature of this.#features) await feature.onPhoneMessage?.(message, context);
  }
}

function claim<Handler>(
  table: Map<string, Handler>,
  entries: Readonly<Record<string, Handler>> | undefined,
): void {
  for (const [key, handler] of Object.entries(entries ?? {})) {
    if (table.has(key)) throw new Error(`two features handle ${key}`);
    table.set(key, handler);
  }
}

function lookUp<Handler>(
  table: ReadonlyMap<string, Handler>,
  key: string,
  node: BinaryNode,
): Handler | undefined {
  const first = Array.isArray(node.content) ? node.content[0]?.tag : undefined;
  return (first === undefined ? undefined : table.get(`${key}:${first}`)) ?? table.get(key);
}
