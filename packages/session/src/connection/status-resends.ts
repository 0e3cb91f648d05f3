import type { Logger } from '@wafleet/runtime';
import {
  isJidStatusBroadcast,
  jidNormalizedUser,
  type proto,
  STORIES_JID,
  type WAMessageKey,
  type WASocket,
} from '@whiskeysockets/baileys';
import type { People } from '../identity/people.js';
import { personId, userOf } from '../identity/person-id.js';
import type { SentMessages } from './sent-messages.js';
import type { StatusAudiences } from './status-audiences.js';

type Relayed = Parameters<WASocket['relayMessage']>[2];

interface StatusResendsOptions {
  readonly audiences: Pick<StatusAudiences, 'find'>;
  readonly sentMessages: Pick<SentMessages, 'find'>;
  readonly people: People;
  /** What WhatsApp wants in the stanza of a content. */
  readonly stanzaOptions: (content: proto.IMessage) => Omit<Relayed, 'messageId' | 'statusJidList'>;
  readonly logger: Logger;
}

/**
 * Sends a status again to a recipient that could not decrypt it. Baileys sends it to no device if a phone asks, and to
 * another device as if it were a message of a chat (docs/upstream.md, 37).
 */
export class StatusResends {
  readonly #options: StatusResendsOptions;

  constructor(options: StatusResendsOptions) {
    this.#options = options;
  }

  /**
   * Takes the question that Baileys asks for a message to send again. Returns false if it is not about a status. Else
   * the status is sent to all devices of the person that asks, who has to be one of its recipients; those that have
   * it drop it. Baileys counts how often a device may ask.
   */
  take(socket: WASocket, { id, remoteJid, participant }: WAMessageKey): boolean {
    if (!isJidStatusBroadcast(remoteJid ?? '')) return false;
    if (!id || !participant) return true;
    // Baileys holds this mutex until it has prepared the Signal session with the device that asks.
    const sent = socket.receiptMutex.mutex(() => this.#resend(socket, id, jidNormalizedUser(participant)));
    sent.catch((error: unknown) => {
      this.#options.logger.warn({ err: error, messageId: id }, 'a status could not be sent again');
    });
    return true;
  }

  async #resend(socket: WASocket, id: string, person: string): Promise<void> {
    const { audiences, sentMessages, stanzaOptions } = this.#options;
    const audience = await audiences.find(id);
    if (audience === undefined || !(await this.#isAmong(audience, person))) return;
    const content = await sentMessages.find(id);
    if (content === undefined) return;
    await socket.relayMessage(STORIES_JID, content, {
      ...{ messageId: id, statusJidList: [person], useUserDevicesCache: false },
      ...stanzaOptions(content),
    });
  }

  /** Whether a person is among others, by either id. */
  async #isAmong(audience: readonly string[], jid: string): Promise<boolean> {
    if (audience.includes(jid)) return true;
    const { people } = this.#options;
    const person = personId(jid);
    if (person === undefined) return false;
    if (people.needsLoading(person)) await people.load([person]);
    const other = people.otherId(person);
    return other !== undefined && audience.some((each) => userOf(each) === userOf(other));
  }
}
