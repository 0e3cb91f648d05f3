import { type BaileysEventMap, WAMessageStatus } from '@whiskeysockets/baileys';

/** How many failures are awaited. Of one whose connection breaks off, no event may come. */
const MOST = 100;

/**
 * The refusals of WhatsApp that are no event: Baileys emits each as the final failure of the message that has the
 * stanza's id. That is wrong of a message that is sent once more, and of a change whose stanza has the id of the message
 * to change. Baileys may emit it some time after the answer: while it handles other stanzas, it collects events.
 */
export class HiddenFailures {
  readonly #hidden = new Map<string, string>();

  /**
   * Hides one failure of the message with this id. Call it before the stanza is sent.
   * @param code WhatsApp's code, or `any`.
   * @returns called when WhatsApp has answered, with whether it refused the message with that code.
   */
  hide(messageId: string, code: string): (isRefused: boolean) => void {
    this.#hidden.set(messageId, code);
    const [oldest] = this.#hidden.keys();
    if (this.#hidden.size > MOST && oldest !== undefined) this.#hidden.delete(oldest);
    return (isRefused) => {
      if (!isRefused) this.#hidden.delete(messageId);
    };
  }

  /** Events without the failures that are hidden. */
  without(events: Partial<BaileysEventMap>): Partial<BaileysEventMap> {
    const { 'messages.update': updates, ...others } = events;
    if (updates === undefined || this.#hidden.size === 0) return events;
    const kept = updates.filter((update) => !this.#takes(update));
    return kept.length === 0 ? others : { ...others, 'messages.update': kept };
  }

  #takes({ key, update }: BaileysEventMap['messages.update'][number]): boolean {
    const id = key.id ?? '';
    const code = this.#hidden.get(id);
    if (code === undefined || update.status !== WAMessageStatus.ERROR) return false;
    if (code !== 'any' && code !== update.messageStubParameters?.[0]) return false;
    this.#hidden.delete(id);
    return true;
  }
}
